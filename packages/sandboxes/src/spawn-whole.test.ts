import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What a process says that runs this once it can open no more files. */
function withoutFiles(program: string): string {
  const code = `
    import { closeSync, openSync } from "node:fs";
    const files = [];
    const { spawnWhole } = await import(${JSON.stringify(join(import.meta.dirname, "spawn-whole.ts"))});
    const { tarStream } = await import(${JSON.stringify(join(import.meta.dirname, "tar-stream.ts"))});
    const { runSmallProgram } = await import(${JSON.stringify(join(import.meta.dirname, "small-programs.ts"))});
    const say = (text) => files.splice(0).forEach((file) => closeSync(file)) ?? console.log(text);
    process.on("uncaughtException", (thrown) => say("uncaught " + thrown.message));
    try { for (;;) files.push(openSync("/dev/null")); } catch { closeSync(files.pop()); }
    ${program}`;
  const limited = ["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath, "--input-type=module", "-e", code];
  return spawnSync("sh", limited, { encoding: "utf8", timeout: 15_000 }).stdout.trim();
}

test("a program that no files are left for is one that cannot be started, and ends nobody else", () => {
  const shown = `.then((done) => say(JSON.stringify(done)), ({ code, message }) => say(code + ": " + message))`;
  expect(withoutFiles(`Promise.resolve().then(() => spawnWhole("true", []))${shown}`)).toBe(
    "too_many_files: The server has too many files open to start true. Raise its limit of open files (ulimit -n).",
  );
  expect(
    withoutFiles(`Promise.resolve().then(() => tarStream({ directory: "/", name: ".", owner: 0 }))${shown}`),
  ).toMatch(/^too_many_files: .* to start tar\./);
  expect(withoutFiles(`runSmallProgram("true", [])${shown}`)).toBe(
    '{"code":null,"stdout":"","stderr":"spawn true EMFILE"}',
  );
});
