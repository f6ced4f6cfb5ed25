import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { processStart } from "../process-name.ts";
import { buildRoot } from "./build-root.ts";
import { recipeTag } from "./image-recipe.ts";

const TAR = `sandbox-${recipeTag()}.tar`;

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-root-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A process that builds the default image into a cache, with a builder that never comes to an end. */
async function builder() {
  const [programs, cache] = [await newDirectory(), await newDirectory()];
  const script = `#!/bin/sh\necho $$ > ${programs}/pid; touch ${cache}/begun; exec sleep 60\n`;
  await writeFile(join(programs, "mmdebstrap"), script, { mode: 0o755 });
  const module = new URL("build-root.ts", import.meta.url).href;
  const build = `{ cacheDirectory: "${cache}", onProgress() {}, signal: new AbortController().signal }`;
  const program = `import { buildRoot } from "${module}"; await buildRoot(${build});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: "ignore",
    env: { PATH: `${programs}:/usr/bin:/bin` },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await expect.poll(() => existsSync(join(cache, "begun")), { timeout: 15_000 }).toBe(true);
  return { child, pid: (await readFile(join(programs, "pid"), "utf8")).trim() };
}

test("a tar that a killed process left half made goes, and one that is being made stays", async () => {
  const cache = await newDirectory();
  const ours = `${TAR}.${process.pid}-${processStart(process.pid)}.part`;
  const left = [`${TAR}.${process.pid}-1.part`, `${TAR}.4194999-1.part`, `${TAR}.4194999.part`];
  for (const name of [TAR, ours, ...left, "others.part"]) await writeFile(join(cache, name), "");
  await mkdir(join(cache, "compiled"));
  const build = { cacheDirectory: cache, onProgress: () => undefined, signal: new AbortController().signal };
  expect(await buildRoot(build)).toBe(join(cache, TAR));
  expect((await readdir(cache)).toSorted()).toEqual(["compiled", "others.part", TAR, ours].toSorted());
});

test("what builds an image ends with the process that it is built for, also when that is killed", async () => {
  const { child, pid } = await builder();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 15_000 }).toBe(false);
});
