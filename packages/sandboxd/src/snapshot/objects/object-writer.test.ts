import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takenFrames } from "@handrail/protocol/sandboxd/object-frames";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asKept } from "../../testing/as-kept.ts";
import { Turns } from "../turns.ts";
import { ObjectWriter, objectName } from "./object-writer.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "handrail-objects-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function written(pieces: readonly Uint8Array[], known: readonly Uint8Array[] = []) {
  const path = join(directory, "pack");
  const objects = new ObjectWriter(path, new Set(known.map((piece) => objectName("blob", piece))));
  for (const piece of pieces) objects.add("blob", piece);
  objects.close();
  const bytes = readFileSync(path);
  expect({ bytes: objects.bytes, file: bytes.length }).toEqual({ bytes: bytes.length, file: objects.bytes });
  return { frames: takenFrames().take(bytes), count: objects.count, kept: takenFrames().take(asKept(bytes)) };
}

const namesOf = (frames: ReturnType<typeof written>["kept"]) =>
  frames.flatMap((frame) => (frame.kind === "bundle" ? [] : [[frame.kind, frame.size]]));

test("small pieces are put together up to some size, large ones and those that are known are not", () => {
  const small = Array.from({ length: 300 }, (_, at) => Buffer.alloc(1000, `${at}.`));
  const large = Buffer.alloc(70_000, "large");
  const known = Buffer.alloc(1000, "known");
  const { frames, count, kept } = written([...small, large, known, small[0]!], [known]);
  expect(frames.map(({ kind, size }) => [kind, size])).toEqual([
    ["bundle", 131_300],
    ["bundle", 131_300],
    ["blob", 70_000],
    ["bundle", 40_400],
  ]);
  expect(count).toBe(301);
  expect(namesOf(kept).toSorted(([, one], [, other]) => Number(one) - Number(other))).toEqual([
    ...small.map(() => ["blob", 1000]),
    ["blob", 70_000],
  ]);
});

test("what does not get smaller is put down as it is", () => {
  const { frames } = written([randomBytes(3000), Buffer.from("a")]);
  expect(frames.map(({ kind, size }) => [kind, size])).toEqual([
    ["blob", 3000],
    ["blob", 1],
  ]);
});

test("a large object in pieces is put down once, as it is in one", async () => {
  const pieces = ["a", "b", "c"].map((letter) => Buffer.alloc(50_000, letter));
  const path = join(directory, "pack");
  const objects = new ObjectWriter(path, new Set());
  objects.add("blob", Buffer.alloc(70_000, "other"));
  const names = [await objects.addInTurns("tree", pieces, new Turns()), objects.add("tree", Buffer.concat(pieces))];
  objects.close();
  expect(names).toEqual([names[1], objectName("tree", Buffer.concat(pieces))]);
  const kept = takenFrames().take(asKept(readFileSync(path)));
  expect(kept.flatMap((frame) => (frame.kind === "bundle" ? [] : [[frame.kind, frame.size, frame.packed]]))).toEqual([
    ["blob", 70_000, true],
    ["tree", 150_000, true],
  ]);
});
