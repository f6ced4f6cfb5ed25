import { readFileSync, readlinkSync } from "node:fs";

/**
 * This process, by a name that no other has or had: the start of its machine's kernel, the namespace that its id is of, the
 * id, and when it started. Empty where the system does not tell (it takes /proc).
 */
export function processName(): string {
  const [place, start] = [ownPlace(), processStart(process.pid)];
  return place === undefined || start === undefined ? "" : `${place}/${process.pid}/${start}`;
}

/** Whether the process of that name lives; undefined: it cannot be told from here, as when it is of another machine. */
export function isLiving(name: string): boolean | undefined {
  const [, place, pid, start] = /^(.+)\/(\d+)\/(\d+)$/.exec(name) ?? [];
  if (pid === undefined || place !== ownPlace()) return undefined;
  return processStart(Number(pid)) === start;
}

/** In ticks since the machine's start; undefined when there is no such process. Source: proc_pid_stat(5) */
export function processStart(pid: number): string | undefined {
  const stat = textOr(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Within it a process's id says which process is meant. */
function ownPlace(): string | undefined {
  const boot = textOr(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const namespace = textOr(() => readlinkSync("/proc/self/ns/pid"));
  return boot === undefined || namespace === undefined ? undefined : `${boot}/${namespace}`;
}

function textOr(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
