import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, type ObjectKind, type SnapshotFile } from "@handrail/protocol/snapshots";
import { expect, onTestFinished, test } from "vitest";
import { listenForSandbox } from "./listen-for-sandbox.ts";
import { openLink } from "./sandbox-link.ts";

const SANDBOXD = join(import.meta.dirname, "../../../sandboxd/dist/sandboxd");
/** More than one thread writes alone. */
const FILES = 1500;
const signal = AbortSignal.timeout(60_000);

function framed(kind: ObjectKind, data: Uint8Array) {
  const name = createHash("sha256").update(`${kind}\n`).update(data).digest("hex");
  return { name, frame: encodeObjectFrame({ kind, packed: false, size: data.length, data }) };
}

test("the built program fills a workspace by its second thread too", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hr-fill-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
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

  const contents = Array.from({ length: FILES }, (_, file) => `content of ${file}`);
  const blobs = contents.map((content) => framed("blob", Buffer.from(content)));
  const entries = blobs.map(({ name }, file): SnapshotFile => {
    const size = contents[file]!.length;
    return { type: "file", name: `f${String(file).padStart(4, "0")}`, mode: 0o644, mtime: "0", size, blobs: [name] };
  });
  const root = framed("tree", encodeTree({ mode: 0o755, mtime: "0", entries }));
  const wanted = { root: root.name, maxFileBytes: 1_000_000, maxTotalBytes: 1_000_000 };
  const put = async (offset: number, data: Buffer, fill = {}) =>
    (await link.call("snapshot.put", { offset, data, ...fill }, { signal })).size;
  const offset = await put(0, Buffer.from(root.frame), { fill: wanted });
  await put(offset, Buffer.concat(blobs.map(({ frame }) => frame)));
  const done = await link.call("snapshot.restore", wanted, { signal });
  link.close();
  program.kill("SIGTERM");
  await once(program, "exit");
  await listener.close();

  expect(done).toEqual({ needed: [], written: FILES, removed: 0, failed: [] });
  const names = (await readdir(join(directory, "workspace"))).toSorted();
  expect(await Promise.all(names.map((name) => readFile(join(directory, "workspace", name), "utf8")))).toEqual(
    contents,
  );
  // It says so when the thread does not start, and goes on with one.
  expect(await said).not.toContain("one thread");
});
