import { readFile } from "node:fs/promises";
import { AppError } from "@handrail/protocol/errors";
import { runProgram } from "../run-program.ts";
import type { PodNamespaces } from "./cri-shapes.ts";

const REMEDY =
  "Give Handrail's pods a CNI configuration of their own: in a containerd of its own, or with a runtime handler that has cni_conf_dir, named by HANDRAIL_CONTAINERD_RUNTIME. The guide's page on installing has both.";

/**
 * Makes sure that a pod has its loopback and nothing else: a runtime gives pods the network that its configuration
 * says, and most configurations say more.
 * @throws AppError `backend_unavailable` also when it cannot be found out
 */
export async function requireLoopbackOnly(pod: PodNamespaces): Promise<void> {
  const table = await deviceTable(pod);
  if (table === undefined) {
    throw new AppError("backend_unavailable", "The runtime does not say what network its pods have.");
  }
  const others = interfacesIn(table).filter((name) => name !== "lo");
  if (others.length === 0) return;
  const message = `The runtime gives pods a network (${others.join(", ")}), so nothing is started. ${REMEDY}`;
  throw new AppError("backend_unavailable", message, { interfaces: others.join(" ") });
}

async function deviceTable({ pid, networkPath }: PodNamespaces): Promise<string | undefined> {
  if (pid !== undefined) return readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => undefined);
  if (networkPath === undefined) return undefined;
  const { code, stdout } = await runProgram("nsenter", [`--net=${networkPath}`, "cat", "/proc/net/dev"]);
  return code === 0 ? stdout : undefined;
}

/** Names of network interfaces in the text of /proc/net/dev. Source: proc_pid_net(5) */
export function interfacesIn(table: string): readonly string[] {
  const rows = table.split("\n").slice(2);
  return rows.flatMap((row) => /^\s*([^\s:]+):/.exec(row)?.[1] ?? []);
}
