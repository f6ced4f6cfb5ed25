import { spawn, spawnSync } from "node:child_process";
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

test("a file that cannot be read or written because too many are open is told so", async () => {
  const home = await mkdtemp(join(tmpdir(), "handrail-json-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const program = `
    import { closeSync, openSync } from "node:fs";
    import { z } from "zod";
    import { toAppError } from "@handrail/protocol/errors";
    import { jsonFile } from "${new URL("json-file.ts", import.meta.url).href}";
    const file = jsonFile("${home}/a.json", z.number());
    const tried = (work) => work.then((value) => value ?? "done", (thrown) => toAppError(thrown).code);
    const first = await tried(file.write(1));
    const files = [];
    try { for (;;) files.push(openSync("/dev/null")); } catch {}
    const full = [await tried(file.read()), await tried(file.write(2))];
    files.splice(0).forEach((file) => closeSync(file));
    console.log(JSON.stringify([first, ...full, await tried(file.read())]));`;
  const limited = ["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath, "--input-type=module", "-e", program];
  const { stdout } = spawnSync("sh", limited, { encoding: "utf8", timeout: 15_000, cwd: import.meta.dirname });
  expect(JSON.parse(stdout)).toEqual(["done", "too_many_files", "too_many_files", 1]);
});
