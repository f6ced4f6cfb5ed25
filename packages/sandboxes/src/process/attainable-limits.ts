import { readFile } from "node:fs/promises";
import type { SandboxLimits } from "../limits.ts";

/** The limits, lowered to the hard limits of this process where those are lower: nobody may go over them. */
export async function attainableLimits(limits: SandboxLimits): Promise<SandboxLimits> {
  return lowered(limits, await readFile("/proc/self/limits", "utf8"));
}

/** As `attainableLimits`, with the text of /proc/self/limits given. Source: proc_pid_limits(5). */
export function lowered(limits: SandboxLimits, table: string): SandboxLimits {
  return {
    ...limits,
    processes: Math.min(limits.processes, hardLimit(table, "Max processes")),
    openFiles: Math.min(limits.openFiles, hardLimit(table, "Max open files")),
    fileBytes: Math.min(limits.fileBytes, hardLimit(table, "Max file size")),
  };
}

function hardLimit(table: string, name: string): number {
  const row = table.split("\n").find((line) => line.startsWith(name));
  const hard = Number(row?.slice(name.length).trim().split(/\s+/)[1]);
  return Number.isFinite(hard) ? hard : Number.POSITIVE_INFINITY;
}
