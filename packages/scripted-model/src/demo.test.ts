import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { demoRepositoryDirectory, demoScript } from "./demo.ts";

const run = promisify(execFile);

/** NODE_TEST_CONTEXT and the like would make the inner runner think that it is part of this one. */
const environment = { PATH: process.env["PATH"] };

test("the demo's edits match its repository, and turn its failing test suite into a passing one", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-demo-"));
  try {
    await cp(demoRepositoryDirectory, directory, { recursive: true });
    const suite = () =>
      run(process.execPath, ["--test"], { cwd: directory, env: environment }).then(
        () => "passes",
        () => "fails",
      );
    const before = await suite();
    for (const { path, old_text, new_text } of edits()) {
      const text = await readFile(join(directory, path), "utf8");
      expect(text.split(old_text)).toHaveLength(2);
      await writeFile(join(directory, path), text.replace(old_text, new_text));
    }
    expect([before, await suite()]).toEqual(["fails", "passes"]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test("the demo says what it is at its start and after its end", () => {
  expect(demoScript.turns[0]?.text).toContain("scripted demo");
  expect(demoScript.otherwise?.text).toContain("scripted demo");
});

type Edit = { path: string; old_text: string; new_text: string };

function edits(): readonly Edit[] {
  const calls = demoScript.turns.flatMap((turn) => turn.calls ?? []);
  return calls.filter((call) => call.tool === "edit").map((call) => call.arguments as Edit);
}
