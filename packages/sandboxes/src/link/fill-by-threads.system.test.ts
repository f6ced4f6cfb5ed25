import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { zstdCompressSync } from "node:zlib";
import { bundleHeadBytes, writeBundle, type Bundle } from "@handrail/protocol/sandboxd/bundles";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, type ObjectKind, type SnapshotFile } from "@handrail/protocol/snapshots";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../run-program.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";
import { listenForSandbox } from "./listen-for-sandbox.ts";
import { openLink } from "./sandbox-link.ts";

const SANDBOXD = join(import.meta.dirname, "../../../sandboxd/dist/sandboxd");
/** More than one thread writes alone. */
const FILES = 1500;
const IN_BUNDLE = 70;
const signal = AbortSignal.timeout(60_000);

type Framed = { readonly name: string; readonly frame: Uint8Array };

function framed(kind: ObjectKind, data: Uint8Array): Framed {
  const name = createHash("sha256").update(`${kind}\n`).update(data).digest("hex");
  return { name, frame: encodeObjectFrame({ kind, packed: false, size: data.length, data }) };
}

/** As a server sends most pieces. */
function bundled(pieces: readonly Framed[]): Uint8Array {
  let at = 0;
  const objects = pieces.map(({ name, frame: { length: bytes } }) => ({ name, at: (at += bytes) - bytes, bytes }));
  const all = Buffer.concat(pieces.map(({ frame }) => frame));
  const bundle: Bundle = { kind: "bundle", size: all.length, data: zstdCompressSync(all), objects };
  const into = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
  writeBundle(into, 0, bundle);
  return into;
}

const inBundles = (pieces: readonly Framed[]) =>
  Array.from({ length: Math.ceil(pieces.length / IN_BUNDLE) }, (_, index) =>
    bundled(pieces.slice(index * IN_BUNDLE, (index + 1) * IN_BUNDLE)),
  );
const alone = (pieces: readonly Framed[]) => pieces.map(({ frame }) => frame);

async function place() {
  const directory = await mkdtemp(join(tmpdir(), "hr-fill-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const workspace = join(directory, "workspace");
  await mkdir(workspace);
  return { directory, workspace };
}

/** Fills a workspace by the built program. Gives what a restore then says, or fails with, and what the program said. */
async function fill(directory: string, contents: readonly string[], sent: (pieces: readonly Framed[]) => Uint8Array[]) {
  const listener = await listenForSandbox(join(directory, "link"));
  const paths = ["--workspace", join(directory, "workspace"), "--state", join(directory, "state")];
  const program = spawn(SANDBOXD, ["serve", ...paths, "--dial", `unix:${listener.path}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = text(program.stderr);
  const { connect } = listener;
  const link = await openLink({
    sandboxId: "x_test",
    backend: "none",
    connect,
    onEgress: (stream) => stream.destroy(),
  });
  const blobs = contents.map((content) => framed("blob", Buffer.from(content)));
  const entries = blobs.map(({ name }, file): SnapshotFile => {
    const size = contents[file]!.length;
    const about = { name: `f${String(file).padStart(4, "0")}`, mode: 0o644, mtime: "0", size };
    return { type: "file", ...about, blobs: size === 0 ? [] : [name] };
  });
  const root = framed("tree", encodeTree({ mode: 0o755, mtime: "0", entries }));
  const wanted = { root: root.name, maxFileBytes: 1_000_000, maxTotalBytes: 100_000_000 };
  const put = async (offset: number, data: Uint8Array, more = {}) =>
    (await link.call("snapshot.put", { offset, data, ...more }, { signal })).size;
  const offset = await put(0, root.frame, { fill: wanted });
  await put(offset, Buffer.concat(sent(blobs)));
  const [done] = await Promise.allSettled([link.call("snapshot.restore", wanted, { signal })]);
  link.close();
  program.kill("SIGTERM");
  await once(program, "exit");
  await listener.close();
  return { done, said: await said };
}

async function filesIn(workspace: string): Promise<string[]> {
  const names = (await readdir(workspace)).toSorted();
  return Promise.all(names.map((name) => readFile(join(workspace, name), "utf8")));
}

test.each([
  { pieces: "alone", sent: alone },
  { pieces: "in bundles", sent: inBundles },
])("the built program fills a workspace by its second thread too, with pieces that come $pieces", async ({ sent }) => {
  const { directory, workspace } = await place();
  const contents = Array.from({ length: FILES }, (_, file) => `content of ${file} `.repeat(file % 40));
  const { done, said } = await fill(directory, contents, sent);
  const value = { needed: [], written: FILES, removed: 0, failed: [] };
  expect(done).toEqual({ status: "fulfilled", value });
  expect(await filesIn(workspace)).toEqual(contents);
  // It says so when the thread does not start, and goes on with one.
  expect(said).not.toContain("one thread");
});

test.skipIf(!runsAsRoot("A workspace with little space"))(
  "a workspace that becomes full is told, and has no part of a file",
  async () => {
    const { directory, workspace } = await place();
    const mounted = await runProgram("mount", ["-t", "tmpfs", "-o", "size=4m", "handrail", workspace]);
    expect(mounted.code).toBe(0);
    onTestFinished(async () => void (await runProgram("umount", ["--lazy", workspace])));
    const contents = Array.from({ length: FILES }, (_, file) => `${file} `.padEnd(9000, "x"));
    const { done } = await fill(directory, contents, inBundles);
    expect(done).toMatchObject({ status: "rejected", reason: { code: "disk_full" } });
    const there = await filesIn(workspace);
    expect(there.length).toBeGreaterThan(100);
    expect(there.filter((content) => content.length !== 9000)).toEqual([]);
  },
);
