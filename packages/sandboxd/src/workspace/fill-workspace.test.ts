import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeTree, randomEdits, randomNumbers, setPlainTimes } from "../testing/random-tree.ts";
import { WorkspaceFiller } from "./fill-workspace.ts";

let root: string;
let source: string;
let workspace: string;
let filler: WorkspaceFiller;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "handrail-fill-"));
  [source, workspace] = [join(root, "source"), join(root, "workspace")];
  mkdirSync(source);
  mkdirSync(workspace);
  filler = new WorkspaceFiller(workspace);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** As the server packs it: `tarArguments` in the package of the backends. */
const packed = () => execFileSync("tar", ["--create", "--format=gnu", `--directory=${source}`, "."]);

/** Sends an archive in parts of the sizes that `next` gives. */
async function fill(archive: Buffer, next: () => number): Promise<void> {
  for (let offset = 0; offset < archive.length;) {
    const part = archive.subarray(offset, offset + next());
    const last = offset + part.length === archive.length;
    const { size } = await filler.take({ offset, data: part, last });
    expect(size).toBe(offset + part.length);
    offset = size;
  }
}

const whole = (archive: Buffer) => fill(archive, () => archive.length);

test.each(Array.from({ length: 8 }, (_, seed) => seed))(
  "random trees arrive as they are, in parts of any size, in place of what was there (seed %i)",
  async (seed) => {
    const random = randomNumbers(seed);
    for (const directory of [source, workspace]) randomEdits(directory, random, 80);
    setPlainTimes(source, random, 1);
    await fill(packed(), () => 1 + random(random(2) === 0 ? 700 : 50_000));
    expect(describeTree(workspace)).toEqual(describeTree(source));
  },
);

test("long names and long links arrive whole", async () => {
  const deep = Array.from({ length: 9 }, (_, level) => `${level}`.repeat(60)).join("/");
  mkdirSync(join(source, deep), { recursive: true });
  writeFileSync(join(source, deep, "file"), "deep");
  symlinkSync(`${deep}/file`, join(source, "link"));
  await whole(packed());
  expect(readFileSync(join(workspace, "link"), "utf8")).toBe("deep");
});

test("what was begun and not ended is begun anew", async () => {
  writeFileSync(join(source, "file"), "x".repeat(3000));
  const archive = packed();
  await filler.take({ offset: 0, data: archive.subarray(0, 2500), last: false });
  expect(readdirSync(workspace)).toEqual(["file"]);
  await whole(archive);
  expect(readFileSync(join(workspace, "file"), "utf8")).toBe("x".repeat(3000));
});

test("parts out of order, and archives that end too early, are refused", async () => {
  writeFileSync(join(source, "file"), "x".repeat(3000));
  const data = packed().subarray(0, 2048);
  const refused = { code: "bad_request" };
  await expect(filler.take({ offset: 512, data, last: false })).rejects.toMatchObject(refused);
  await expect(filler.take({ offset: 0, data, last: true })).rejects.toMatchObject(refused);
  await expect(filler.take({ offset: 2048, data, last: false })).rejects.toMatchObject(refused);
});

test("an archive that leads out of the workspace is refused", async () => {
  for (const name of ["../out", "/out", "a/../../out"]) {
    writeFileSync(join(source, "file"), "x");
    const transform = `--transform=s,file,${name},`;
    const args = ["--create", "--format=gnu", "-P", `--directory=${source}`, transform, "file"];
    await expect(whole(execFileSync("tar", args))).rejects.toMatchObject({ code: "bad_request" });
  }
  expect(readdirSync(root).toSorted()).toEqual(["source", "workspace"]);
});
