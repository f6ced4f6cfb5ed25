import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type Bundle, bundleHeadBytes, writeBundle } from "@handrail/protocol/sandboxd/bundles";
import { encodeObjectFrame, headBytes, writeNamedFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree } from "@handrail/protocol/snapshots";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StagedObjects } from "./staged-objects.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "handrail-staged-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const nameOf = (number: number) => number.toString(16).padStart(64, "0");

/** Contents as a bundle, called by their numbers from `first` on; every third is compressed by itself as well. */
function bundled(first: number, contents: readonly Uint8Array[]): Uint8Array {
  const frames = contents.map((content, at) => {
    const packed = at % 3 === 2;
    const data = packed ? zstdCompressSync(content) : content;
    return encodeObjectFrame({ kind: "blob", packed, size: content.length, data });
  });
  const all = Buffer.concat(frames);
  let at = 0;
  const objects = frames.map((frame, index) => {
    const place = { name: nameOf(first + index), at, bytes: frame.length };
    at += frame.length;
    return place;
  });
  const bundle: Bundle = { kind: "bundle", size: all.length, data: zstdCompressSync(all), objects };
  const bytes = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
  writeBundle(bytes, 0, bundle);
  return bytes;
}

function named(number: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes(true) + content.length);
  const frame = encodeObjectFrame({ kind: "blob", packed: false, size: content.length, data: content });
  writeNamedFrame(bytes, 0, frame, nameOf(number));
  return bytes;
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test("objects of bundles are there beside others, as they are", () => {
  const staged = new StagedObjects(join(directory, "staged"));
  const contents = Array.from({ length: 9 }, (_, at) => Buffer.from(`content ${at} `.repeat(10 * at)));
  staged.append(
    Buffer.concat([named(20, Buffer.from("before")), bundled(0, contents), named(21, Buffer.from("behind"))]),
  );
  expect(contents.map((_, at) => text(staged.blob(nameOf(at))))).toEqual(contents.map(text));
  expect([text(staged.blob(nameOf(20))), text(staged.blob(nameOf(21)))]).toEqual(["before", "behind"]);
  expect(staged.tree(nameOf(0))).toBeUndefined();
  staged.close();
});

test("what is too much for the memory is read again from the file, by a sandboxd that starts anew too", () => {
  const path = join(directory, "staged");
  const staged = new StagedObjects(path);
  const contentOf = (number: number) => Buffer.alloc(300_000, `${number}.`);
  const count = 300;
  for (let first = 0; first < count; first += 3)
    staged.append(bundled(first, [first, first + 1, first + 2].map(contentOf)));
  staged.append(named(count, contentOf(count)));
  const anew = new StagedObjects(path);
  for (const objects of [staged, anew]) {
    const wrong = Array.from({ length: count + 1 }, (_, number) => number).filter(
      (number) => Buffer.compare(objects.blob(nameOf(number)) ?? Buffer.alloc(0), contentOf(number)) !== 0,
    );
    expect(wrong).toEqual([]);
    objects.close();
  }
});

test("a bundle that does not hold what it says is refused", () => {
  const entries = ["a", "b", "c"].map((name) => ({ type: "directory", name, tree: nameOf(7) }) as const);
  const tree = encodeTree({ mode: 0o755, mtime: "0", entries });
  const frame = encodeObjectFrame({ kind: "tree", packed: false, size: tree.length, data: tree });
  const whole = { name: nameOf(1), at: 0, bytes: frame.length };
  const good: Bundle = { kind: "bundle", size: frame.length, data: zstdCompressSync(frame), objects: [whole] };
  const take = (bundle: Bundle) => {
    const bytes = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
    writeBundle(bytes, 0, bundle);
    const staged = new StagedObjects(join(directory, Math.random().toString(36)));
    try {
      staged.append(bytes);
      return staged.tree(nameOf(1));
    } finally {
      staged.close();
    }
  };
  expect(take(good)).toEqual({ mode: 0o755, mtime: "0", entries });
  for (const wrong of [
    { ...good, size: good.size + 1 },
    { ...good, objects: [{ ...whole, bytes: frame.length - 1 }] },
    { ...good, objects: [{ ...whole, at: 1, bytes: frame.length - 1 }] },
  ]) {
    expect(() => take(wrong)).toThrow(expect.objectContaining({ code: "checkpoint_invalid" }));
  }
});
