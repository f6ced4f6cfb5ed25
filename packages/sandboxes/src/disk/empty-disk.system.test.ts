import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../run-program.ts";
import { emptyDisks } from "./empty-disk.ts";

const GIB = 1024 ** 3;
const OWNER = 1_234_567;

/** What is in a directory of a file system that is not mounted: mode, user, group and name of each. */
async function listed(image: string, directory: string): Promise<readonly string[]> {
  const { stdout } = await runProgram("debugfs", ["-R", `ls -p ${directory}`, image]);
  const rows = stdout.split("\n").map((row) => row.split("/"));
  return rows
    .filter((row) => row.length > 5)
    .map(([, , mode, user, group, name]) => [mode, user, group, name].join(" "));
}

test.each([
  ["of 10 GiB", 10 * GIB],
  ["of 32 MiB", 32 * 1024 ** 2],
])("a copied disk %s is a sound file system with a workspace that belongs to its user", async (_name, bytes) => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-empty-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const write = emptyDisks();
  const image = join(directory, "image");
  expect(write(image, bytes, OWNER)).toBe(false);
  await expect.poll(() => write(image, bytes, OWNER)).toBe(true);
  const { size, blocks } = await stat(image);
  expect({ size, small: blocks * 512 < 1024 ** 2 }).toEqual({ size: bytes, small: true });
  expect(await runProgram("e2fsck", ["-f", "-n", image])).toMatchObject({ code: 0 });
  const own = (name: string, mode = "040700") => `${mode} ${OWNER} ${OWNER} ${name}`;
  expect(await listed(image, "/")).toEqual([
    "040755 0 0 .",
    "040755 0 0 ..",
    "040700 0 0 lost+found",
    own("state"),
    own("workspace", "040755"),
  ]);
  expect(await listed(image, "/state")).toEqual([own("."), "040755 0 0 ..", own("home")]);
});
