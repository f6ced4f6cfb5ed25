import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("a program that no files are left for is one that cannot be started, and does not end the server", () => {
  const code = `
    import { closeSync, openSync } from "node:fs";
    const { runProgram } = await import(${JSON.stringify(join(import.meta.dirname, "run-program.ts"))});
    const files = [];
    const say = (text) => files.splice(0).forEach((file) => closeSync(file)) ?? console.log(text);
    process.on("uncaughtException", (thrown) => say("uncaught " + thrown.message));
    try { for (;;) files.push(openSync("/dev/null")); } catch { closeSync(files.pop()); }
    const options = { env: {}, signal: AbortSignal.timeout(9000), timeoutMs: 9000, capBytes: 1 };
    await runProgram(["true"], options).then(() => say("ran"), ({ code, message }) => say(code + ": " + message));`;
  const limited = ["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath, "--input-type=module", "-e", code];
  expect(spawnSync("sh", limited, { encoding: "utf8", timeout: 15_000 }).stdout).toBe("EMFILE: spawn true EMFILE\n");
});
