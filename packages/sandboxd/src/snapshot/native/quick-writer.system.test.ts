import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { expect, onTestFinished, test } from "vitest";
import { fileStat } from "./file-stat.ts";

const BUN = join(dirname(createRequire(import.meta.url).resolve("bun/package.json")), "bin", "bun.exe");

type Piece = { readonly name: string; readonly mode: number; readonly mtime: string; readonly content?: string };

/** Has files written under Bun, as sandboxd runs. Gives what each then is by what was said; null: it was not written. */
function written(files: readonly Piece[]) {
  const directory = mkdtempSync(join(tmpdir(), "handrail-quick-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const workspace = join(directory, "workspace");
  mkdirSync(workspace);
  const frames = files.map(({ content = "" }, index) => {
    const data = index === 3 ? zstdCompressSync(content) : Buffer.from(content);
    return encodeObjectFrame({ kind: "blob", packed: index === 3, size: content.length, data });
  });
  writeFileSync(join(workspace, "there"), "there");
  const all = Buffer.concat(frames);
  writeFileSync(join(directory, "input.json"), JSON.stringify({ files, lengths: frames.map(({ length }) => length) }));
  writeFileSync(join(directory, "bundle"), zstdCompressSync(all));
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  const script = `
    import { constants, openSync, readFileSync } from "node:fs";
    import { openNative } from ${module("native.ts")};
    import { OpenBundles } from ${module("../objects/open-bundles.ts")};
    import { filesWriter } from ${module("../restore/write-files.ts")};
    import { JobBuilder, statIn } from ${module("write-job.ts")};
    const native = await openNative();
    if (native.quick === undefined) throw new Error("not quick");
    const { files, lengths } = JSON.parse(readFileSync(${JSON.stringify(join(directory, "input.json"))}, "utf8"));
    const good = { id: 1, size: ${all.length}, data: readFileSync(${JSON.stringify(join(directory, "bundle"))}) };
    const bad = { id: 2, size: 100, data: new Uint8Array(50) };
    const builder = new JobBuilder();
    let at = 0;
    for (const [index, { name, mode, mtime, content }] of files.entries()) {
      const bytes = lengths[index];
      const bundle = name === "damaged" ? bad : good;
      const piece = content === undefined ? undefined : name === "loose" ? Buffer.from(content) : { bundle, at, bytes };
      builder.add(name, { mode, mtime }, piece);
      at += bytes;
    }
    const place = openSync(${JSON.stringify(workspace)}, constants.O_DIRECTORY);
    const stats = filesWriter(native)(builder.build(1, place), new OpenBundles());
    const said = files.map((_, index) => statIn(stats, index)).map((stat) => stat === undefined ? null : {
      mode: stat.mode, links: stat.links, uid: stat.uid, gid: stat.gid, device: stat.device, inode: stat.inode,
      size: stat.size, changedNs: stat.changedNs, modifiedNs: stat.modifiedNs });
    console.log(JSON.stringify(said, (_, value) => typeof value === "bigint" ? String(value) : value));`;
  writeFileSync(join(directory, "script.ts"), script);
  const said = JSON.parse(execFileSync(BUN, [join(directory, "script.ts")], { encoding: "utf8" })) as unknown[];
  return { workspace, said };
}

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)));

test("files are written whole with their modes and times, and what is said of them is what they are", () => {
  const latin1 = Buffer.from("ünï").toString("latin1");
  const files = [
    { name: "plain", mode: 0o644, mtime: "1580608922123456789", content: "plain text" },
    { name: latin1, mode: 0o4751, mtime: "-1500000000", content: "x".repeat(70_000) },
    { name: "empty", mode: 0o600, mtime: "0", content: "" },
    { name: "packed", mode: 0o644, mtime: "1", content: "compressed by itself" },
    { name: "nothing", mode: 0o644, mtime: "1" },
    { name: "loose", mode: 0o444, mtime: "7000000000", content: "in no bundle" },
    { name: "there", mode: 0o644, mtime: "1", content: "another" },
    { name: "damaged", mode: 0o644, mtime: "1", content: "never" },
    { name: "no/where", mode: 0o644, mtime: "1", content: "never" },
    { name: "last", mode: 0o7777, mtime: "1", content: "last" },
  ];
  const { workspace, said } = written(files);
  const done = ["plain", "ünï", "empty", "nothing", "loose", "last"];
  // One that is compressed by itself is left to who writes files alone, as all that cannot be written.
  expect(readdirSync(workspace).toSorted()).toEqual([...done, "there"].toSorted());
  expect(readFileSync(join(workspace, "there"), "utf8")).toBe("there");
  const shown = files.map(({ name }) => Buffer.from(name, "latin1").toString());
  const isDone = (name: string) => done.includes(name);
  expect(said).toEqual(
    shown.map((name) => (isDone(name) ? plain(fileStat(lstatSync(join(workspace, name), { bigint: true }))) : null)),
  );
  const all = files.map(({ mode, mtime, content = "" }, index) => ({ name: shown[index]!, mode, mtime, content }));
  expect(
    all
      .filter(({ name }) => isDone(name))
      .map(({ name }) => {
        const { mode, mtimeNs } = lstatSync(join(workspace, name), { bigint: true });
        const content = readFileSync(join(workspace, name), "utf8");
        return { name, mode: Number(mode & 0o7777n), mtime: String(mtimeNs), content };
      }),
  ).toEqual(all.filter(({ name }) => isDone(name)));
});
