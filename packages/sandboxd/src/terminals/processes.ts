import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A row of `/proc`. `startTicks` counts hundredths of a second since the machine started. See proc_pid_stat(5). */
export type ProcessRow = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** The group in the foreground of its terminal; -1 without a terminal, 0 where the kernel does not say, as gVisor's. */
  readonly foreground: number;
  readonly startTicks: number;
  readonly zombie: boolean;
};

/** The row of one process, or undefined when there is none. */
export function processRow(pid: number): ProcessRow | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const number = (index: number) => Number(fields[index]);
  return {
    pid,
    parent: number(1),
    group: number(2),
    session: number(3),
    foreground: number(5),
    startTicks: number(19),
    zombie: fields[0] === "Z",
  };
}

/** The directory that a process is in, or undefined when that cannot be seen or is no more. */
export function processDirectory(pid: number): Buffer | undefined {
  try {
    const directory = readlinkSync(`/proc/${pid}/cwd`, "buffer");
    return existsSync(directory) ? directory : undefined;
  } catch {
    return undefined;
  }
}

/** Every process that can be seen. */
export function processRows(): ProcessRow[] {
  return readdirSync("/proc").flatMap((name) => {
    const row = /^\d+$/.test(name) ? processRow(Number(name)) : undefined;
    return row === undefined ? [] : [row];
  });
}

/** The present in the unit of `startTicks`, less one for rounding. */
export function ticksNow(): number {
  const seconds = readFileSync("/proc/uptime", "latin1").split(" ")[0] ?? "0";
  return Math.floor(Number(seconds) * 100) - 1;
}

/**
 * The living processes that came from the session of a shell, without the shell: its session, and descendants of
 * those that left it. With `since`, only processes that started then or later.
 */
export function sessionProcesses(shell: number, since = 0): number[] {
  const rows = processRows();
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows) children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
  const found = new Set<number>();
  const visit = (row: ProcessRow): void => {
    if (found.has(row.pid)) return;
    found.add(row.pid);
    for (const child of children.get(row.pid) ?? []) visit(child);
  };
  for (const row of rows) if (row.session === shell || row.parent === shell) visit(row);
  return rows
    .filter((row) => found.has(row.pid) && row.pid !== shell && !row.zombie && row.startTicks >= since)
    .map((row) => row.pid);
}

/** Sends a signal to a process, or with a negative number to a group; false when there is none. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/**
 * Kills what `list` gives until it gives nothing, or a hundred rounds: programs may fork while they are killed. Those
 * that keep forking are stopped first; a shell would take a stopped program for one in the background.
 */
export function killAll(list: () => readonly number[]): void {
  for (let round = 0; round < 100; round++) {
    const pids = list();
    if (pids.length === 0) return;
    if (round > 5) for (const pid of pids) signalProcess(pid, "SIGSTOP");
    for (const pid of pids) signalProcess(pid, "SIGKILL");
  }
}
