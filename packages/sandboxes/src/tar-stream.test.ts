import { spawnSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { directoryTar } from "./directory-tar.ts";
import { tarArguments, tarStream } from "./tar-stream.ts";

test("a tree is packed under its name and for its owner, and links keep their targets", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-tar-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "file"), "text", { mode: 0o755 });
  await symlink("./file", join(directory, "link"));
  const listed = list(await buffer(tarStream({ directory, name: "workspace", owner: 1000 })));
  expect(listed).toEqual([
    "drwx------ 1000/1000 workspace/",
    "-rwxr-xr-x 1000/1000 workspace/file",
    "lrwxrwxrwx 1000/1000 workspace/link -> ./file",
  ]);
});

test("a tree that is not there fails the stream with a sentence", async () => {
  const stream = tarStream({ directory: "/nonexistent/handrail", name: "workspace", owner: 1000 });
  await expect(buffer(stream)).rejects.toMatchObject({ code: "sandbox_failed" });
});

test("directories are packed empty, for their owner", () => {
  expect(list(directoryTar(["workspace", "state/home"], 1000))).toEqual([
    "drwxr-xr-x 1000/1000 state/home/",
    "drwxr-xr-x 1000/1000 workspace/",
  ]);
});

test("the owner and the name are in the arguments, and nothing passes through a shell", () => {
  expect(tarArguments({ directory: "/a b;c", name: "workspace", owner: 7 })).toEqual([
    "--create",
    "--format=gnu",
    "--numeric-owner",
    "--owner=7",
    "--group=7",
    "--transform=s,^\\.,workspace,S",
    "--directory=/a b;c",
    ".",
  ]);
});

/** Mode, owner and name of each entry, sorted by name. */
function list(archive: Buffer): string[] {
  const { stdout } = spawnSync("tar", ["--list", "--verbose", "--numeric-owner"], { input: archive, encoding: "utf8" });
  const lines = stdout.trim().split("\n");
  const told = lines.map((line) => line.replace(/^(\S+) (\S+)\s+\d+ \S+ \S+ /, "$1 $2 "));
  return told.toSorted((a, b) => (a.split(" ")[2]! < b.split(" ")[2]! ? -1 : 1));
}
