import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";

const PROGRAM = path.join(import.meta.dirname, "main.ts");
const REJECT_AT_SIGNAL = `process.on("SIGUSR2", () => { Promise.reject(new Error("nobody handles this")); });`;

test("a rejection that nobody handles is logged as fatal with its stack, and ends the server with 1", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "handrail-fatal-"));
  try {
    const preload = `data:text/javascript,${encodeURIComponent(REJECT_AT_SIGNAL)}`;
    const child = spawn(process.execPath, ["--import", preload, PROGRAM, "--home", home, "--port", "0"]);
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.stdout.once("data", () => child.kill("SIGUSR2"));
    const code = await new Promise((resolve) => child.once("close", resolve));
    const lines = err.trimEnd().split("\n");
    const fatal = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 60);
    expect({ code, messages: fatal.map(({ err: thrown }) => thrown.message) }).toEqual({
      code: 1,
      messages: ["nobody handles this"],
    });
    expect(fatal[0].err.stack).toContain("at ");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
