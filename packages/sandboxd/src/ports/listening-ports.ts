import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ListeningPort } from "@handrail/protocol/sandboxd/operations";

const LISTEN = "0A";

/** A socket that listens: its port, and the inode that names it under `/proc/PID/fd`. */
export type ListeningSocket = { readonly port: number; readonly inode: string };

/**
 * Reads `/proc/net/tcp` or `tcp6` (proc_net_tcp.rst of the kernel's documentation): the second field is
 * `ADDRESS:PORT` in hexadecimal, the fourth the state, the tenth the inode.
 */
export function listeningSockets(table: string): ListeningSocket[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => ({ port: Number.parseInt(fields[1]?.split(":")[1] ?? "", 16), inode: fields[9] ?? "" }))
    .filter(({ port }) => port > 0);
}

/** Ports of this network namespace that something listens on, apart from `own`, lowest first. */
export function listeningPorts(own: ReadonlySet<number>): ListeningPort[] {
  const sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => listeningSockets(readText(path)));
  const inodes = new Map(sockets.filter(({ port }) => !own.has(port)).map(({ port, inode }) => [port, inode]));
  if (inodes.size === 0) return [];
  const programs = programsOf(new Set(inodes.values()));
  return [...inodes]
    .toSorted(([a], [b]) => a - b)
    .map(([port, inode]) => {
      const program = programs.get(inode);
      return program === undefined ? { port } : { port, program };
    });
}

/** Names of programs by the socket that they hold; what belongs to other users cannot be told. */
function programsOf(inodes: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of names("/proc").filter((name) => /^\d+$/.test(name))) {
    if (found.size === inodes.size) break;
    for (const fd of names(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      found.set(inode, readText(`/proc/${pid}/comm`).trim().slice(0, 64));
    }
  }
  return found;
}

const names = (path: string): string[] => attempt(() => readdirSync(path), []);
const readLink = (path: string): string => attempt(() => readlinkSync(path), "");
const readText = (path: string): string => attempt(() => readFileSync(path, "utf8"), "");

function attempt<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
