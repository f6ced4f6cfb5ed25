import { AppError } from "@handrail/protocol/errors";

/** The runtime answered, and its answer was no. Does not leave this folder: callers give it a code. */
export class CriError extends Error {
  override readonly name = "CriError";
}

/** Runs `work`; what the runtime refused becomes a `sandbox_failed` that begins with `what`. */
export async function explained<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof CriError)) throw thrown;
    const reason = firstWords(thrown.message);
    throw new AppError("sandbox_failed", `${what}: ${reason}`, { reason }, { cause: thrown });
  }
}

/** What to say when nothing that speaks CRI answers at a socket. */
export function unreachable(address: string, reason: string): AppError {
  const remedy = reason.includes("EACCES")
    ? "This user may not use its socket: run the server as root, or use another sandbox backend."
    : "Start it (systemctl start containerd), or set CONTAINERD_ADDRESS to where it listens.";
  return new AppError("backend_unavailable", `containerd does not answer at ${address}. ${remedy}`, {
    address,
    reason,
  });
}

/** What to say when a socket is containerd's and CRI is not behind it. */
export function withoutCri(address: string): AppError {
  const message = `containerd at ${address} does not offer the Container Runtime Interface. Take "cri" out of disabled_plugins in /etc/containerd/config.toml and restart it.`;
  return new AppError("backend_unavailable", message, { address });
}

/** What to say when a pod is not made because the runtime's pause image is not there; undefined for another reason. */
export function withoutPauseImage(cause: CriError, pauseImage: string): AppError | undefined {
  if (!/sandbox image|unable to pull image/.test(cause.message)) return undefined;
  const reason = firstWords(cause.message);
  const message = `The runtime has no pause image (${reason}). In its configuration set sandbox_image (containerd) or pause_image (CRI-O) to "${pauseImage}", and restart it.`;
  return new AppError("backend_unavailable", message, { reason }, { cause });
}

/** A runtime's error can be pages of Go values. */
export function firstWords(message: string): string {
  return message.replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
