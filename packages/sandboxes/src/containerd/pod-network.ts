import { readFile } from "node:fs/promises";
import { AppError } from "@handrail/protocol/errors";

const REMEDY =
  "Give Handrail's pods a CNI configuration of their own: in a containerd of its own, or with a runtime handler that has cni_conf_dir, named by HANDRAIL_CONTAINERD_RUNTIME. The guide's page on installing has both.";

/**
 * Makes sure that a pod has its loopback and nothing else: a runtime gives pods the network that its configuration
 * says, and most configurations say more. `pid` is a process of the host in the pod's network namespace.
 * @throws AppError `backend_unavailable` also when it cannot be found out
 */
export async function requireLoopbackOnly(pid: number | undefined): Promise<void> {
  const table = pid === undefined ? undefined : await readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => undefined);
  if (table === undefined) {
    throw new AppError("backend_unavailable", "The runtime does not say what network its pods have.");
  }
  const others = interfacesIn(table).filter((name) => name !== "lo");
  if (others.length === 0) return;
  const message = `The runtime gives pods a network (${others.join(", ")}), so nothing is started. ${REMEDY}`;
  throw new AppError("backend_unavailable", message, { interfaces: others.join(" ") });
}

/** Names of network interfaces in the text of /proc/net/dev. Source: proc_pid_net(5) */
export function interfacesIn(table: string): readonly string[] {
  const rows = table.split("\n").slice(2);
  return rows.flatMap((row) => /^\s*([^\s:]+):/.exec(row)?.[1] ?? []);
}
