import { mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { place, restore, take } from "../testing/snapshot-place.ts";
import { ChangedPaths } from "../workspace/changed-paths.ts";
import { WrittenFiles } from "../workspace/written-files.ts";

/** More than a restore has open at once. */
const LEVELS = 400;

/** How many files are open below a directory. Other tests of this process may open and close theirs meanwhile. */
const openIn = (directory: string) =>
  readdirSync("/proc/self/fd").filter((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`).startsWith(directory);
    } catch {
      return false;
    }
  }).length;

/** Tells how many files are open whenever one is written or removed. */
class Counting extends ChangedPaths {
  most = 0;
  workspace = "";

  override add(): void {
    this.most = Math.max(this.most, openIn(this.workspace));
  }
}

test("a tree deeper than a restore has files open is brought back, and taken away", async () => {
  const changed = new Counting();
  const around = { written: new WrittenFiles(), changed, isUntouched: () => false, replaced: () => 0 };
  const { workspace, operations } = place(around);
  changed.workspace = workspace;
  const empty = await take(operations, null);
  let path = workspace;
  for (let level = 0; level < LEVELS; level += 1) {
    path = join(path, "d");
    mkdirSync(path);
    writeFileSync(join(path, "after"), `file ${level}`);
  }
  const deep = await take(operations, null);
  rmSync(join(workspace, "d"), { recursive: true });

  expect(await restore(operations, deep.root, deep.frames)).toMatchObject({ written: LEVELS, failed: [] });
  expect(readdirSync(path)).toEqual(["after"]);
  expect(await restore(operations, empty.root, empty.frames)).toMatchObject({ removed: LEVELS, failed: [] });
  expect(readdirSync(workspace)).toEqual([]);
  expect(changed.most).toBeGreaterThan(0);
  expect(changed.most).toBeLessThan(300);
  expect(openIn(workspace)).toBe(0);
});
