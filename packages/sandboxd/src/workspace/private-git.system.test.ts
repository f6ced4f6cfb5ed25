import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { outputOf, privateGit } from "./private-git.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "handrail-git-"));
  mkdirSync(join(root, "workspace"));
  writeFileSync(join(root, "workspace", "a.txt"), "a");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const gitBy = (program: string) =>
  privateGit({
    program,
    workspace: join(root, "workspace"),
    directory: join(root, "git"),
    env: { PATH: process.env["PATH"] ?? "" },
  });

/** A git that is killed in the middle of `init`: HEAD is there already, what follows it is not. */
function killedGit(): string {
  const program = join(root, "killed-git");
  writeFileSync(program, '#!/bin/sh\necho "ref: refs/heads/main" > "$GIT_DIR/HEAD"\nkill -KILL $$\n');
  chmodSync(program, 0o755);
  return program;
}

test("a kill while our repository is being made leaves nothing that stands in the way of the next attempt", async () => {
  await expect(gitBy(killedGit())(["status"])).rejects.toMatchObject({ code: "git_failed" });
  const run = gitBy("git");
  await run(["add", "--all"]);
  expect(outputOf(await run(["ls-files"]), "list").toString()).toBe("a.txt\n");
});
