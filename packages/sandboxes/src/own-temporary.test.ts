import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { inOwnTemporary } from "./own-temporary.ts";

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** A process that works in a directory, and says which. */
async function worker() {
  const module = new URL("own-temporary.ts", import.meta.url).href;
  const work = "(path) => new Promise((end) => { process.stdout.write(path); setTimeout(end, 60_000); })";
  const program = `import { inOwnTemporary } from "${module}"; await inOwnTemporary(${work});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  onTestFinished(() => rm(said.toString(), { recursive: true, force: true }));
  return { child, directory: said.toString() };
}

test("what a killed process left goes with the next one; what a living one works in, and others' files, stay", async () => {
  const [killed, living] = [await worker(), await worker()];
  const other = join(tmpdir(), `handrail-disk-other-${process.pid}`);
  await mkdir(other);
  onTestFinished(() => rm(other, { recursive: true, force: true }));
  killed.child.kill("SIGKILL");
  await once(killed.child, "exit");
  expect(await isThere(killed.directory)).toBe(true);
  const own = await inOwnTemporary(async (directory) => {
    const all = [killed.directory, living.directory, other, directory];
    expect(await Promise.all(all.map(isThere))).toEqual([false, true, true, true]);
    return directory;
  });
  expect(await isThere(own)).toBe(false);
});
