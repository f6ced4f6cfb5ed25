import { readFileSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";

/** The block devices of this machine that have a file open as their content, such as `loop0`; sandboxes have it by them. */
export function loopDevicesOf(image: string): readonly string[] {
  const names = loopDevicesIn(textOf("/proc/partitions"));
  const fileOf = (name: string) => textOf(`/sys/block/${name}/loop/backing_file`).trimEnd();
  return names.filter((name) => fileOf(name).replace(/ \(deleted\)$/, "") === image);
}

/** Those that have a content: machines keep many that have none. The last word of a row is the device's name (proc(5)). */
const loopDevicesIn = (partitions: string): readonly string[] =>
  partitions.split("\n").flatMap((row) => /\s(loop\d+)$/.exec(row)?.[1] ?? []);

/**
 * Whether all that still has these devices is a copy of where the server once mounted them, `target`. A program that made
 * itself a mount namespace at that moment, such as another container daemon, has such a copy until its end where the
 * host's mounts do not propagate. It neither reads nor writes there: a mount that is made now uses the same device, and
 * with it the same file system.
 */
export async function onlyCopiesOf(target: string, devices: readonly string[]): Promise<boolean> {
  const numbers = new Set(devices.map((name) => textOf(`/sys/block/${name}/dev`).trim()));
  const places = (await mountTables()).flatMap((table) => placesOf(table, numbers));
  return places.length > 0 && places.every((place) => place === target);
}

/** What is mounted in each mount namespace that a process of this machine is in, as in `mountinfo` of proc(5). */
async function mountTables(): Promise<readonly string[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map((name) => join("/proc", name));
  const namespaces = new Map<string, string>();
  for (const path of processes) {
    const namespace = await readlink(join(path, "ns/mnt")).catch(() => undefined);
    if (namespace !== undefined) namespaces.set(namespace, path);
  }
  return [...namespaces.values()].map((path) => textOf(join(path, "mountinfo")));
}

/** Where devices with these numbers are mounted: the third word is `major:minor`, the fifth the place. */
function placesOf(table: string, numbers: ReadonlySet<string>): readonly string[] {
  const rows = table.split("\n").map((row) => row.split(" "));
  return rows.filter(([, , device = ""]) => numbers.has(device)).map(([, , , , place = ""]) => place);
}

/** Synchronous: the kernel answers from memory, and it is asked for all devices at each start. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
