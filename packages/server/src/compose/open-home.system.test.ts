import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { openHome } from "./open-home.ts";

const PROGRAM = path.join(import.meta.dirname, "../main.ts");

test.for(["/proc/nope", "/proc/nope/deeper", "/proc", "/dev/null/x", "/dev/null"])(
  "a state directory %s is refused with one sentence and exit code 2",
  (home) => {
    const args = [PROGRAM, "--home", home, "--port", "0"];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 100_000 });
    expect({ status, sentence: stderr.replace(/\(E[A-Z]+\)/, "(code)") }).toEqual({
      status: 2,
      sentence: `handrail: The state directory ${home} cannot be written to (code). Choose another with HANDRAIL_HOME or --home.\n`,
    });
  },
);

test("a state directory is made with its parents, for this user alone, and left empty", async () => {
  const root = mkdtempSync(path.join(tmpdir(), "handrail-home-"));
  try {
    const home = path.join(root, "a/b");
    await openHome(home);
    await openHome(home);
    expect([statSync(home).mode & 0o777, readdirSync(home)]).toEqual([0o700, []]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
