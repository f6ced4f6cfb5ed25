import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeUnfinished } from "./json-file.ts";

const OTHERS = ["handrail.sqlite", ".hidden", "notes.part", ".notes.part"];

test("what a killed process was writing goes at the next start, and nothing else does", async () => {
  const home = await mkdtemp(join(tmpdir(), "handrail-json-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  for (const name of OTHERS) await writeFile(join(home, name), "");
  const module = new URL("json-file.ts", import.meta.url).href;
  const program = `import { replaceFile } from "${module}"; await replaceFile("${home}/secret.key", Buffer.alloc(512 * 1024 ** 2));`;
  const writer = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "inherit" });
  await expect.poll(async () => (await readdir(home)).length, { timeout: 10_000, interval: 2 }).toBe(5);
  writer.kill("SIGKILL");
  await once(writer, "exit");
  expect(await readdir(home)).toContainEqual(expect.stringMatching(/secret/));
  await removeUnfinished(home);
  expect((await readdir(home)).toSorted()).toEqual(OTHERS.toSorted());
});
