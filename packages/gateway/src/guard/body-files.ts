import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** A file of a call. */
export type BodyFile = { readonly path: string; readonly at: number; readonly bytes: number };

export type Keeping = {
  /** Files of calls that began before that, in Unix milliseconds, go. */
  readonly oldest: number;
  /** Of all files together; the oldest go first. */
  readonly maxTotalBytes: number;
};

const DAY = /^\d{4}-\d\d-\d\d$/;
const FILE = /^(\d{13})-[0-9a-f-]{36}\.json$/;
const BLOCK = 4096;
/** Room is made for some calls at once. */
const ROOM = 0.9;

/** Below the directory. */
export function bodyPath(at: number, callId: string): { readonly day: string; readonly file: string } {
  return { day: new Date(at).toISOString().slice(0, 10), file: `${at}-${callId}.json` };
}

/** What a file takes of a disk. */
export const diskBytes = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

/** Removes files that are too old, and the oldest where there are too many. Gives the bytes of those that stay. */
export async function pruneBodies(directory: string, { oldest, maxTotalBytes }: Keeping): Promise<number> {
  const days = await daysIn(directory);
  const files = (await Promise.all(days.map((day) => filesOf(join(directory, day))))).flat();
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = total > maxTotalBytes ? maxTotalBytes * ROOM : maxTotalBytes;
  for (const { path, at, bytes } of files.toSorted((a, b) => a.at - b.at)) {
    if (at >= oldest && total <= most) break;
    await rm(path, { force: true });
    total -= bytes;
  }
  // Those that hold nothing any more; others stay.
  for (const day of days) await rmdir(join(directory, day)).catch(() => undefined);
  return total;
}

async function daysIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => DAY.test(name));
}

async function filesOf(day: string): Promise<readonly BodyFile[]> {
  const names = await readdir(day);
  const found: BodyFile[] = [];
  for (const name of names) {
    const at = Number(FILE.exec(name)?.[1]);
    if (Number.isNaN(at)) continue;
    const path = join(day, name);
    found.push({ path, at, bytes: diskBytes((await stat(path)).size) });
  }
  return found;
}
