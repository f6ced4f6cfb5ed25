import { readFile } from "node:fs/promises";
import { AppError } from "@handrail/protocol/errors";

const FORBIDDEN =
  /no permissions to create|creating new namespace failed|setting up uid map|can't mount proc|unshare.*operation not permitted|setting up userns|cannot set max_user_namespaces/i;

/** What to do about a bubblewrap that is not there. */
export const INSTALL = "Install it, for example with: apt-get install bubblewrap";

export function missingBubblewrap(): AppError {
  return new AppError("backend_unavailable", `bubblewrap (bwrap) is not installed. ${INSTALL}`, { program: "bwrap" });
}

/** What the last words of bwrap mean. */
export async function explainBubblewrap(said: string): Promise<AppError> {
  const reason = said.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  if (!FORBIDDEN.test(said)) {
    const detail = reason === "" ? "" : ` It said: ${reason}`;
    return new AppError("sandbox_failed", `The sandbox ended at its start.${detail}`, { reason });
  }
  const message = `This machine does not let bubblewrap make namespaces (${reason}). ${await remedyForNamespaces()}`;
  return new AppError("namespaces_forbidden", message, { reason });
}

/** Which of the usual switches forbids user namespaces here, and how to turn it. */
async function remedyForNamespaces(): Promise<string> {
  const [clone, apparmor, most] = await Promise.all([
    setting("/proc/sys/kernel/unprivileged_userns_clone"),
    setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    setting("/proc/sys/user/max_user_namespaces"),
  ]);
  if (clone === "0") return "An administrator can allow it: sysctl -w kernel.unprivileged_userns_clone=1";
  if (apparmor === "1")
    return "An administrator can allow it: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
  if (most === "0") return "An administrator can allow it: sysctl -w user.max_user_namespaces=15000";
  return "In a container, allow user namespaces in its seccomp profile and unmask /proc, or use the docker backend.";
}

function setting(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}
