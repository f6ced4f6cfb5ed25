import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { place, restore, take } from "../testing/snapshot-place.ts";
import { ChangedPaths } from "../workspace/changed-paths.ts";
import { WrittenFiles } from "../workspace/written-files.ts";

test("a restore tells the paths of all files that it writes, sets, makes something else and removes", async () => {
  const changed = new ChangedPaths();
  const around = { written: new WrittenFiles(), changed, isUntouched: () => false, replaced: () => 0 };
  const { workspace, operations } = place(around);
  const write = (path: string, text = path) => writeFileSync(join(workspace, path), text);
  for (const name of ["stays", "changes", "mode", "type", "goes"]) write(name);
  for (const name of ["d", "emptied"]) mkdirSync(join(workspace, name));
  for (const name of ["d/stays", "d/changes", "emptied/goes"]) write(name);
  const { root, frames } = await take(operations, null);

  for (const name of ["changes", "d/changes"]) write(name, "other");
  chmodSync(join(workspace, "mode"), 0o755);
  for (const name of ["type", "goes", "emptied"]) rmSync(join(workspace, name), { recursive: true });
  symlinkSync("stays", join(workspace, "type"));
  mkdirSync(join(workspace, "new/deep"), { recursive: true });
  write("new/deep/file");
  changed.take();
  await restore(operations, root, frames);

  expect(changed.take()?.toSorted()).toEqual(
    ["changes", "d/changes", "emptied/goes", "goes", "mode", "new/deep/file", "type"].toSorted(),
  );
  expect(changed.take()).toEqual([]);
});
