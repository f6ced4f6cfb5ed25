import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  conversationPlace,
  furnish,
  hasWorkspace,
  readRecord,
  removePlace,
  writeRecord,
} from "./conversation-place.ts";
import { SANDBOXD_LOG, sandboxdLog } from "./launch-sandboxd.ts";

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "handrail-place-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

const FURNISHING = { seedDirectory: undefined, uid: undefined, bound: undefined };

test("an id that would lead out of the directory, or be none, is refused", () => {
  for (const id of ["", "..", "a/b", "../a", "a\\0b", "a b", "a".repeat(65)]) {
    expect(() => conversationPlace("/d", id), id).toThrow(expect.objectContaining({ code: "internal" }));
  }
  expect(conversationPlace("/d", "c_1").root).toBe("/d/c_1");
});

test("a workspace that was cut off in the middle of its making is none, and is made anew", async () => {
  const place = conversationPlace(await directory(), "c_1");
  await mkdir(`${place.workspace}.part`, { recursive: true });
  await writeFile(`${place.workspace}.part/half`, "");
  expect(await hasWorkspace(place)).toBe(false);
  await furnish(place, FURNISHING);
  expect([await hasWorkspace(place), await readdir(place.workspace)]).toEqual([true, []]);
});

test("what is there already is not filled again, and its first files are moved there", async () => {
  const home = await directory();
  const place = conversationPlace(home, "c_1");
  const seed = join(home, "seed");
  await mkdir(seed);
  await writeFile(join(seed, "first"), "");
  await furnish(place, { ...FURNISHING, seedDirectory: seed });
  await writeFile(join(place.workspace, "mine"), "");
  await mkdir(seed);
  await furnish(place, { ...FURNISHING, seedDirectory: seed });
  expect((await readdir(place.workspace)).toSorted()).toEqual(["first", "mine"]);
});

test("a record that cannot be read is none, and one that names no profile has the default one", async () => {
  const place = conversationPlace(await directory(), "c_1");
  expect(await readRecord(place)).toBeUndefined();
  await mkdir(place.root);
  await writeRecord(place, { sandboxId: "x_1", profile: "strict", token: "t", uid: 5, image: "i" });
  expect(await readRecord(place)).toEqual({ sandboxId: "x_1", profile: "strict", token: "t", uid: 5, image: "i" });
  await writeFile(place.record, '{"sandboxId":"x_1","profile":"all","uid":"0"}');
  expect(await readRecord(place)).toEqual({ sandboxId: "x_1", profile: "default" });
  await writeFile(place.record, '{"sandboxId":');
  expect(await readRecord(place)).toBeUndefined();
});

test("a place is removed with directories that may not be entered, and nothing that its links lead to", async () => {
  const home = await directory();
  const place = conversationPlace(home, "c_1");
  await writeFile(join(home, "others"), "kept");
  await furnish(place, FURNISHING);
  await mkdir(join(place.workspace, "locked"));
  await symlink("../../..", join(place.workspace, "locked", "up"));
  execFileSync("chmod", ["000", join(place.workspace, "locked")]);
  await removePlace(place);
  expect([await readdir(home), await readFile(join(home, "others"), "utf8")]).toEqual([["others"], "kept"]);
});

test("a log that a program has swapped for a link, a pipe or a directory says nothing, and holds nobody up", async () => {
  const state = await directory();
  const log = join(state, SANDBOXD_LOG);
  await writeFile(log, `${"x".repeat(5000)}end`);
  expect(await sandboxdLog(state)).toBe(`${"x".repeat(3997)}end`);
  await writeFile(join(state, "secret"), "secret");
  const swaps = [() => symlink("secret", log), async () => void execFileSync("mkfifo", [log]), () => mkdir(log)];
  for (const swap of swaps) {
    await rm(log, { recursive: true });
    await swap();
    expect(await sandboxdLog(state)).toBe("");
  }
});
