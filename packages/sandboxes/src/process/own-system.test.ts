import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
