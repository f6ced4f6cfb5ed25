import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backupHome } from "./backup-home.ts";

let root = "";
beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "handrail-backup-test-"))));
afterEach(() => rmSync(root, { recursive: true }));

test("the archive has the databases as they are in use, the files, and nothing of the running process", async () => {
  const home = path.join(root, "home");
  mkdirSync(path.join(home, "workspaces/one"), { recursive: true });
  writeFileSync(path.join(home, "workspaces/one/a.txt"), "text");
  writeEach(home, ["server.json", "lock.owner", "gateway.sqlite.lock/lock", "gateway.sqlite.lock/lock.owner"]);
  const database = new DatabaseSync(path.join(home, "handrail.db"));
  database.exec("pragma journal_mode = wal; create table events (seq integer); insert into events values (0), (1)");
  const file = path.join(root, "backup.tar.gz");

  await backupHome(home, file);
  database.close();

  const restored = path.join(root, "restored");
  mkdirSync(restored);
  execFileSync("tar", ["-xzf", file, "-C", restored]);
  expect(readdirSync(restored).toSorted()).toEqual(["handrail.db", "workspaces"]);
  expect(readFileSync(path.join(restored, "workspaces/one/a.txt"), "utf8")).toBe("text");
  const copy = new DatabaseSync(path.join(restored, "handrail.db"), { readOnly: true });
  expect(
    copy
      .prepare("select seq from events")
      .all()
      .map((row) => row["seq"]),
  ).toEqual([0, 1]);
  copy.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(root).toSorted()).toEqual(["backup.tar.gz", "home", "restored"]);
});

function writeEach(home: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(path.join(home, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(home, name), name);
  }
}

/** The files of a new archive. */
async function archived(home: string): Promise<readonly string[]> {
  const file = path.join(root, "backup.tar.gz");
  await backupHome(home, file);
  const listed = execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).split("\n");
  const files = listed.filter((name) => name !== "" && !name.endsWith("/")).map((name) => name.slice(2));
  return files.toSorted();
}

test("the archive has the checkpoints, without what is not written to its end", async () => {
  const home = path.join(root, "home");
  const parts = ["packs/p", "indexes/i", "refs/c_1/k_1"];
  const paths = ["one", "two"].flatMap((lineage) => parts.map((part) => `checkpoints/${lineage}/${part}`));
  writeEach(home, [...paths, "checkpoints/one/packs/.half"]);
  expect(await archived(home)).toEqual(paths.toSorted());
  expect(readdirSync(home)).toEqual(["checkpoints"]);
});

test("a workspace's disk is left out where its checkpoints are in the archive", async () => {
  const home = path.join(root, "home");
  const kept = ["docker/c_1/sandbox.json", "docker/c_2/disk.img", "containerd/c_3/disk.img"];
  const left = ["docker/c_1/disk.img", "containerd/c_1/disk.img", "sandboxes/c_1/disk.img"];
  writeEach(home, [...kept, ...left, "checkpoints/one/refs/c_1/k_1"]);
  expect(await archived(home)).toEqual([...kept, "checkpoints/one/refs/c_1/k_1"].toSorted());
});

test("an empty state gives an empty archive", async () => {
  const home = path.join(root, "home");
  mkdirSync(home);
  await backupHome(home, path.join(root, "backup.tar.gz"));
  expect(execFileSync("tar", ["-tzf", path.join(root, "backup.tar.gz")], { encoding: "utf8" })).toBe("");
});

test("a file that is there is left alone, and so is a place without state", async () => {
  const file = path.join(root, "taken");
  writeFileSync(file, "mine");
  await expect(backupHome(root, file)).rejects.toMatchObject({ code: "file_exists" });
  expect(readFileSync(file, "utf8")).toBe("mine");
  const nowhere = path.join(root, "nowhere");
  await expect(backupHome(nowhere, path.join(root, "b"))).rejects.toMatchObject({ code: "not_found" });
});
