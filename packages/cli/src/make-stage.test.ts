import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeStage } from "./make-stage.ts";

let parent = "";
beforeEach(() => (parent = mkdtempSync(path.join(tmpdir(), "handrail-stage-test-"))));
afterEach(() => rmSync(parent, { recursive: true }));

const PREFIX = ".stage-";
const MODULE = path.join(import.meta.dirname, "make-stage.ts");

/** A process that has a stage, and what it is called. */
async function staged(): Promise<{ readonly child: ChildProcess; readonly name: string }> {
  const code = `
    import { makeStage } from ${JSON.stringify(MODULE)};
    console.log(makeStage(${JSON.stringify(parent)}, "${PREFIX}").directory);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, name: path.basename(String(line).trim()) };
}

test("what was under way stays as long as its process lives, and goes with the next one after that", async () => {
  const { child, name } = await staged();
  try {
    const first = makeStage(parent, PREFIX);
    expect(readdirSync(parent).toSorted()).toEqual([name, path.basename(first.directory)].toSorted());
    first.remove();
    expect(readdirSync(parent)).toEqual([name]);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  const second = makeStage(parent, PREFIX);
  expect(readdirSync(parent)).toEqual([path.basename(second.directory)]);
  second.remove();
  expect(readdirSync(parent)).toEqual([]);
});

test("one without a lock goes when it is old, and what has another name never does", () => {
  for (const name of [`${PREFIX}new`, `${PREFIX}old`, "other"]) mkdirSync(path.join(parent, name));
  writeFileSync(path.join(parent, `${PREFIX}old/file`), "left");
  for (const name of [`${PREFIX}old`, "other"]) utimesSync(path.join(parent, name), 0, 0);
  makeStage(parent, PREFIX).remove();
  expect(readdirSync(parent).toSorted()).toEqual([`${PREFIX}new`, "other"]);
  expect(existsSync(path.join(parent, `${PREFIX}old`))).toBe(false);
});
