import { spawnSync } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runsAsRoot } from "../testing/runs-as-root.ts";

const USER = 12_345;

test.skipIf(!runsAsRoot("The sandbox of a plain user, which the test becomes,"))(
  "a plain user's sandbox is isolated and limited as root's is, and ended alone",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "handrail-user-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await chown(directory, USER, USER);
    const program = join(import.meta.dirname, "../testing/start-as-user.ts");
    const user = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--"];
    const ended = spawnSync("setpriv", [...user, process.execPath, program, directory], { encoding: "utf8" });
    expect(ended.stderr).toBe("");
    // The shell that could not fork any more ended without its last word.
    expect(JSON.parse(ended.stdout)).toEqual({
      who: "1000\nfile\nrefused",
      eaten: "0",
      forked: "",
      left: ["stranger"],
      dev: "Process sandboxes do not have the profile dev here: it takes a server that runs as root. Use the docker backend, or another profile.",
    });
  },
);
