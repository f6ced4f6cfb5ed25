import { globSync, readFileSync } from "node:fs";

/** What MemAvailable says of the whole machine, in bytes. */
export function availableBytes(): number {
  return 1024 * Number(/MemAvailable:\s+(\d+) kB/.exec(text("/proc/meminfo"))?.[1]);
}

/** Proportional memory (PSS, proc(5)) of all programs that run under sandboxd, sandboxd too, in bytes. */
export function sandboxBytes(): number {
  const parents = new Map(globSync("/proc/[0-9]*/stat").map((file) => parentOf(text(file))));
  const daemons = new Set([...parents.keys()].filter((pid) => /sandboxd\0serve/.test(text(`/proc/${pid}/cmdline`))));
  const belongs = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (daemons.has(pid) || belongs(parents.get(pid)));
  return [...parents.keys()].filter(belongs).reduce((sum, pid) => sum + proportionalBytes(pid), 0);
}

function proportionalBytes(pid: number): number {
  return 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(text(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** A line of `/proc/PID/stat` as process and parent; the name in it may hold anything. */
function parentOf(line: string): readonly [number, number] {
  return [Number.parseInt(line, 10), Number(line.slice(line.lastIndexOf(")") + 4).split(" ", 1)[0])];
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
