import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { AppError } from "@handrail/protocol/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockDirectory } from "./directory-lock.ts";

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
});

async function lockInChild(): Promise<ChildProcess> {
  const code = `
    import { lockDirectory } from ${JSON.stringify(join(import.meta.dirname, "directory-lock.ts"))};
    const say = (lock) => console.log("put back " + lock);
    try { lockDirectory(${JSON.stringify(directory)}, say); globalThis.gc(); console.log("locked"); } catch (e) { console.log(e.code); }
    setInterval(() => {}, 1000);`;
  const args = ["--expose-gc", "--input-type=module", "-e", code];
  const child = spawn(process.execPath, args, { stdio: "pipe" });
  children.push(child);
  const [line] = await once(child.stdout, "data");
  expect(String(line).trim()).toBe("locked");
  return child;
}

function failure(): AppError {
  try {
    lockDirectory(directory).release();
  } catch (thrown) {
    return thrown as AppError;
  }
  throw new Error("The directory was not locked.");
}

test("a directory is locked once, also within one process, and free after its release", () => {
  const lock = lockDirectory(directory);
  expect(failure()).toMatchObject({ code: "state_locked", details: { pid: String(process.pid) } });
  lock.release();
  lock.release();
  lockDirectory(directory).release();
});

test("another process's lock is named by its pid, holds though nobody keeps it, and ends with a kill", async () => {
  const child = await lockInChild();
  const error = failure();
  expect(error).toMatchObject({ code: "state_locked", details: { pid: String(child.pid) } });
  expect(error.message).toContain(`process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  lockDirectory(directory).release();
});

test("a lock keeps its name with each holding, of which each has its own, and a copy of it is another", () => {
  const holdings = Array.from({ length: 2 }, () => {
    const held = lockDirectory(directory);
    held.release();
    return held;
  });
  expect(new Set(holdings.map(({ lock }) => lock)).size).toBe(1);
  expect(new Set(holdings.map(({ holding }) => holding)).size).toBe(2);
  const copy = join(directory, "copy");
  cpSync(join(directory, "lock"), join(copy, "lock"), { preserveTimestamps: true });
  const other = lockDirectory(copy);
  expect(other.lock).not.toBe(holdings[0]?.lock);
  other.release();
});

test("a lock whose file is removed still holds, and its file is there again", async () => {
  const child = await lockInChild();
  let said = "";
  child.stdout?.on("data", (bytes: Buffer) => (said += bytes.toString()));
  for (let round = 0; round < 2; round++) {
    rmSync(join(directory, "lock"));
    expect(failure()).toMatchObject({ code: "state_locked", details: { pid: String(child.pid) } });
    expect(existsSync(join(directory, "lock"))).toBe(true);
  }
  const { ino, birthtimeNs } = statSync(join(directory, "lock"), { bigint: true });
  await expect.poll(() => said.split("\n").slice(1)).toEqual([`put back ${ino}-${birthtimeNs}`, ""]);
  expect(child.exitCode).toBe(null);
});

test("a holder that stood still while its files were removed and somebody else locked them ends, and says why", async () => {
  const child = await lockInChild();
  child.kill("SIGSTOP");
  for (const name of ["lock", "lock.owner"]) rmSync(join(directory, name));
  const lock = lockDirectory(directory);
  const ended = once(child, "exit");
  child.kill("SIGCONT");
  const said = child.stderr === null ? "" : await text(child.stderr);
  expect([await ended, /AppError: Another Handrail \(process (\d+)\)/.exec(said)?.[1]]).toEqual([
    [1, null],
    String(process.pid),
  ]);
  expect(failure()).toMatchObject({ code: "state_locked" });
  lock.release();
});
