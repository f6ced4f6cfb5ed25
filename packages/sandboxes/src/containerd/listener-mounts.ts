import { readdir, readFile, readlink, realpath } from "node:fs/promises";

/** The state and flags of a socket that takes connections. Source: linux/net/unix/af_unix.c, `unix_seq_show` */
const LISTENING = /^\S+ \S+ \S+ 00010000 \S+ \S+ +(\d+) (.+)$/;

/**
 * Whether those who listen on a unix socket see what this process mounts, so that a disk can be handed to them by its
 * path. False where they cannot be found. Takes root.
 */
export async function listenerSharesMounts(socketPath: string): Promise<boolean> {
  const inodes = await listeningAt(socketPath);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const held = await Promise.all(pids.map((pid) => holds(pid, inodes)));
  const listeners = pids.filter((_pid, at) => held[at]);
  return listeners.length > 0 && (await Promise.all(listeners.map(hasOurMounts))).every(Boolean);
}

/** Whether a process has this one's mount namespace. */
export async function hasOurMounts(pid: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all(["self", pid].map((one) => readlink(`/proc/${one}/ns/mnt`).catch(() => "")));
  return ours !== "" && ours === theirs;
}

async function listeningAt(socketPath: string): Promise<ReadonlySet<string>> {
  const paths = new Set([socketPath, await realpath(socketPath).catch(() => socketPath)]);
  const rows = (await readFile("/proc/net/unix", "utf8")).split("\n").map((row) => LISTENING.exec(row));
  const inodes = rows.flatMap((row) => (row !== null && paths.has(row[2] ?? "") ? [`socket:[${row[1]}]`] : []));
  return new Set(inodes);
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => "")));
  return targets.some((target) => sockets.has(target));
}
