import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type Bundle, bundleHeadBytes, writeBundle } from "@handrail/protocol/sandboxd/bundles";
import { encodeObjectFrame, headBytes, writeNamedFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, type SnapshotEntry } from "@handrail/protocol/snapshots";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CALL, place, RULES } from "../testing/snapshot-place.ts";
import { objectName } from "./objects/object-writer.ts";

const PIECES = ["one", "two ".repeat(300)].map((text) => Buffer.from(text));
const [one, two] = PIECES.map((data) => ({ size: data.length, blobs: [objectName("blob", data)] }));
const file = (name: string, of = one!): SnapshotEntry => ({ type: "file", name, mode: 0o644, mtime: "0", ...of });

function named(kind: "tree" | "blob", data: Buffer): Buffer {
  const packed = zstdCompressSync(data);
  const smaller = packed.length < data.length;
  const frame = encodeObjectFrame({ kind, packed: smaller, size: data.length, data: smaller ? packed : data });
  const into = Buffer.alloc(headBytes(true) - headBytes(false) + frame.length);
  writeNamedFrame(into, 0, frame, objectName(kind, data));
  return into;
}

function bundled(): Buffer {
  const frames = PIECES.map((data) => encodeObjectFrame({ kind: "blob", packed: false, size: data.length, data }));
  const all = Buffer.concat(frames);
  const objects = frames.map((frame, index) => ({
    name: objectName("blob", PIECES[index]!),
    at: index === 0 ? 0 : frames[0]!.length,
    bytes: frame.length,
  }));
  const bundle: Bundle = { kind: "bundle", size: all.length, data: zstdCompressSync(all), objects };
  const bytes = Buffer.alloc(bundleHeadBytes(bundle) + bundle.data.length);
  writeBundle(bytes, 0, bundle);
  return bytes;
}

const tree = (...entries: SnapshotEntry[]) => Buffer.from(encodeTree({ mode: 0o755, mtime: "0", entries }));
const inner = tree(file("a"), file("b", two), { type: "link", name: "c", mtime: "0", target: "../../outside" });
const root = tree({ type: "directory", name: "d", tree: objectName("tree", inner) }, file("e"), {
  type: "twin",
  name: "f",
  of: "d/a",
});
const ROOT = objectName("tree", root);
const TREES = Buffer.concat([root, inner].map((data) => named("tree", data)));
const PACK = Buffer.concat([TREES, bundled()]);

/** What a restore of these bytes, put in two parts, comes to. */
async function restored(pack: Buffer, cut: number, fill: boolean) {
  const { workspace, operations } = place();
  const outside = join(workspace, "../outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "outside");
  if (!fill) symlinkSync("../outside", join(workspace, "d"));
  const put = operations["snapshot.put"];
  const first = fill ? { fill: { root: ROOT, ...RULES } } : {};
  const outcome = await (async () => {
    const { size } = await put({ offset: 0, data: pack.subarray(0, cut), ...first }, CALL);
    await put({ offset: size, data: pack.subarray(cut) }, CALL);
    const { needed, failed } = await operations["snapshot.restore"]({ root: ROOT, ...RULES }, CALL);
    return needed.length > 0 ? "needed" : failed.length > 0 ? "failed" : "done";
  })().catch((thrown: { code?: string }) => thrown.code);
  return { outcome, outside: [readdirSync(outside), readFileSync(join(outside, "file"), "utf8")] };
}

test("whatever is put for a restore is restored or refused, and touches nothing outside of the workspace", async () => {
  const change = fc.tuple(
    fc.nat(PACK.length - 1),
    fc.nat(6),
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom(Buffer.from([0, 0, 0, 0]), Buffer.from([255, 255, 255, 255]), PACK),
    ),
  );
  const seen = new Set<string | undefined>();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 2 }), fc.nat(), fc.boolean(), async (changes, at, fill) => {
      let pack = PACK;
      for (const [from, length, put] of changes)
        pack = Buffer.concat([pack.subarray(0, from), put, pack.subarray(from + length)]);
      const { outcome, outside } = await restored(
        pack,
        fill ? Math.min(TREES.length, pack.length) : at % pack.length,
        fill,
      );
      seen.add(outcome);
      expect(outcome).toMatch(/^(?:done|needed|failed|checkpoint_invalid)$/);
      expect(outside).toEqual([["file"], "outside"]);
    }),
    { numRuns: 150, seed: 1 },
  );
  for (const outcome of ["done", "checkpoint_invalid"]) expect(seen).toContain(outcome);
});
