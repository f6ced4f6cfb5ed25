import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { plainUser } from "./lib/plain-user.mjs";

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Becoming a plain user is not tested: that takes root.\n");

const LOOK = `id -u; id -G; getent passwd 12345 || echo no name; ls -A /tmp; echo "$HOME"
touch package.json 2>/dev/null || echo not to be written; touch /tmp/file ~/file; sleep 1000 & set -- /proc/[0-9]*; echo $#`;

test.skipIf(!asRoot)(
  "a plain user has no name and no groups, cannot write to the project, sees no process of others, and leaves nothing",
  () => {
    const directory = mkdtempSync(path.join(tmpdir(), "handrail-user-test-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { within, environment, dispose } = plainUser(path.join(directory, "tmp"));
    const [command = "", ...args] = [...within, "sh", "-c", LOOK];
    const { stdout, stderr } = spawnSync(command, args, { env: environment, encoding: "utf8" });
    const seen = ["12345", "12345", "no name", "home", "repository", "/tmp/home", "not to be written"];
    // The first shell, the second, and what that left to run.
    expect([stderr, ...stdout.trim().split("\n")]).toEqual(["", ...seen, "3"]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(directory);
    dispose();
    expect(readdirSync(directory)).toEqual([]);
  },
);
