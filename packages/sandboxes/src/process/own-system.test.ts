import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { recipeTag } from "../image/image-recipe.ts";
import { systemTree } from "./own-system.ts";

test("a tree that a killed server left half unpacked goes when it is unpacked again; one that is under way stays", async () => {
  const cache = await mkdtemp(join(tmpdir(), "handrail-own-system-"));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  // No tar at all, so that nothing is unpacked.
  await writeFile(join(cache, `sandbox-${recipeTag()}.tar`), "no tar");
  const ours = `making-root-${process.pid}-abc`;
  for (const name of ["making-root-4194999-abc", "making-root-abc", ours]) await mkdir(join(cache, name));
  const making = systemTree(cache).make(() => undefined, AbortSignal.timeout(20_000));
  await expect(making).rejects.toMatchObject({ code: "image_unavailable" });
  expect((await readdir(cache)).filter((name) => name.startsWith("making-root-"))).toEqual([ours]);
});

test("a tree that another server unpacked meanwhile stays, and those of other recipes go", async () => {
  const cache = await mkdtemp(join(tmpdir(), "handrail-own-system-"));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  const [tarFile, slowTar] = [join(cache, "tar"), join(cache, `sandbox-${recipeTag()}.tar`)];
  await writeFile(join(cache, "file"), "of the tree");
  await promisify(execFile)("tar", ["-cf", tarFile, "-C", cache, "file"]);
  await promisify(execFile)("mkfifo", [slowTar]);
  await mkdir(join(cache, "sandbox-root-ofanotherrecipe"));
  const make = () => systemTree(cache).make(() => undefined, AbortSignal.timeout(20_000));
  const late = make();
  // Opens once the late one reads from it.
  const slow = await open(slowTar, "w");
  const tar = await readFile(tarFile);
  await rename(tarFile, slowTar);
  await make();
  const { path } = systemTree(cache);
  const { ino } = await stat(path);
  await slow.writeFile(tar);
  await slow.close();
  await late;
  expect((await stat(path)).ino).toBe(ino);
  expect(await readFile(join(path, "file"), "utf8")).toBe("of the tree");
  expect((await readdir(cache)).filter((name) => name.includes("root"))).toEqual([`sandbox-root-${recipeTag()}`]);
});
