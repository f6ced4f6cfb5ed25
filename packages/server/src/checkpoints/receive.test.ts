import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { type Bundle, bundleHeadBytes, writeBundle } from "@handrail/protocol/sandboxd/bundles";
import { encodeObjectFrame, type ObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, MAX_BLOB_BYTES, type SnapshotEntry } from "@handrail/protocol/snapshots";
import { afterAll, expect, test } from "vitest";
import { Lineage, nameOf } from "./lineage.ts";
import { receiveSnapshot } from "./receive.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-receive-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const signal = AbortSignal.timeout(60_000);
const RULES = { maxFileBytes: 1_000_000, maxTotalBytes: 10_000_000 };
const ELSEWHERE = "0".repeat(64);

const plain = (kind: ObjectFrame["kind"], data: Uint8Array) =>
  encodeObjectFrame({ kind, packed: false, size: data.length, data });
const treeOf = (entries: readonly SnapshotEntry[]) => encodeTree({ mode: 0o755, mtime: "0", entries: [...entries] });

const BYTES = Buffer.from("text");
const BLOB = nameOf("blob", BYTES);
const file = (name: string, more: Partial<Extract<SnapshotEntry, { type: "file" }>> = {}): SnapshotEntry => ({
  type: "file",
  name,
  mode: 0o644,
  mtime: "0",
  size: 4,
  blobs: [BLOB],
  ...more,
});
const EMPTY = nameOf("tree", treeOf([]));
const folder = (name: string, tree: string): SnapshotEntry => ({ type: "directory", name, tree });

/** What a sandbox says: frames, and the root that it names; `packBytes` when that is not how many they are. */
type Said = { readonly frames: readonly Uint8Array[]; readonly root: string; readonly packBytes?: number };

const withRoot = (bytes: Uint8Array, frames: readonly Uint8Array[] = []): Said => ({
  frames: [plain("blob", BYTES), ...frames, plain("tree", bytes)],
  root: nameOf("tree", bytes),
});
const withEntries = (...entries: readonly SnapshotEntry[]) => withRoot(treeOf(entries));

let made = 0;
const store = directoryStore(directory);
const newLineage = () => new Lineage(`l${made++}`, store, Buffer.alloc(32, 1));

async function receive({ frames, root, packBytes }: Said, lineage = newLineage(), more: { maxObjects?: number } = {}) {
  const pack = Buffer.concat(frames);
  const sandbox = scriptedSandbox({
    "snapshot.take": () => ({
      root,
      files: 7,
      bytes: 7,
      newObjects: 7,
      packBytes: packBytes ?? pack.length,
      leftOut: [],
      leftOutCount: 0,
      durationMs: 1,
    }),
    "snapshot.read": (args) => {
      const offset = Number(args["offset"]);
      const data = pack.subarray(offset, offset + Number(args["length"])).toString("base64");
      return { data, size: pack.length };
    },
  });
  const outcome = await receiveSnapshot(lineage, sandbox, { rules: RULES, base: null, ...more }, signal).then(
    ({ files, bytes }) => ({ files, bytes }),
    (thrown: { code: string; message: string }) => `${thrown.code}: ${thrown.message}`,
  );
  return { outcome, indexes: await store.list(`${lineage.id}/indexes/`) };
}

test("an honest snapshot is stored, and counted by the server itself", async () => {
  const { outcome, indexes } = await receive(withEntries(file("a"), file("b")));
  expect(outcome).toEqual({ files: 2, bytes: 8 });
  expect(indexes).toHaveLength(1);
});

test("small pieces are stored in bundles, whatever way they came; large ones and directories as they came", async () => {
  const [small, large] = [Buffer.alloc(9000, "small"), Buffer.alloc(70_000, "large")];
  const packed = (data: Buffer) =>
    encodeObjectFrame({ kind: "blob", packed: true, size: data.length, data: zstdCompressSync(data) });
  const files = [small, large].map((data, at) => file(`f${at}`, { size: data.length, blobs: [nameOf("blob", data)] }));
  const lineage = newLineage();
  const root = treeOf([...Array.from({ length: 20 }, (_, at) => folder(`d${at + 10}`, EMPTY)), ...files]);
  const data = zstdCompressSync(root);
  const tree = encodeObjectFrame({ kind: "tree", packed: true, size: root.length, data });
  const frames = [packed(large), packed(small), plain("tree", treeOf([])), tree];
  const { outcome } = await receive({ frames, root: nameOf("tree", root) }, lineage);
  expect(outcome).toEqual({ files: 2, bytes: 79_000 });
  const objects = await new Lineage(lineage.id, store, Buffer.alloc(32, 1)).objects();
  const insideOf = (name: string) => objects.get(name)?.inside;
  expect(insideOf(nameOf("blob", small))).toEqual({ at: packed(large).length, bytes: 9010, bundled: true });
  expect(insideOf(nameOf("tree", root))).toMatchObject({ bytes: tree.length });
  expect(insideOf(nameOf("blob", large))).toEqual({ at: 0, bytes: packed(large).length, bundled: true });
  expect(await lineage.blobs([small, large].map((data) => nameOf("blob", data)))).toEqual(
    new Map([small, large].map((data) => [nameOf("blob", data), data])),
  );
});

/** Frames as a bundle, which says these names and this size. */
function bundled(frames: readonly Uint8Array[], says: Partial<Pick<Bundle, "size" | "objects">> = {}): Uint8Array {
  const all = Buffer.concat(frames);
  const bundle: Bundle = { kind: "bundle", size: all.length, data: zstdCompressSync(all), objects: [], ...says };
  const bytes = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
  writeBundle(bytes, 0, bundle);
  return bytes;
}

const PIECES = Array.from({ length: 30 }, (_, at) => Buffer.alloc(500, `${at}.`));
const inBundle = (bundle: Uint8Array): Said => {
  const files = PIECES.map((data, at) => file(`f${at + 10}`, { size: 500, blobs: [nameOf("blob", data)] }));
  return { frames: [bundle, plain("tree", treeOf(files))], root: nameOf("tree", treeOf(files)) };
};
const PLAIN_PIECES = PIECES.map((data) => plain("blob", data));

test("pieces that come in bundles are stored as others are", async () => {
  const lineage = newLineage();
  expect((await receive(inBundle(bundled(PLAIN_PIECES)), lineage)).outcome).toEqual({ files: 30, bytes: 15_000 });
  expect(await lineage.blobs(PIECES.map((data) => nameOf("blob", data)))).toEqual(
    new Map(PIECES.map((data) => [nameOf("blob", data), data])),
  );
});

test.each<[string, Uint8Array]>([
  ["says names", bundled(PLAIN_PIECES, { objects: [{ name: BLOB, at: 0, bytes: 10 }] })],
  ["unpacks to more than it says", bundled(PLAIN_PIECES, { size: 15_299 })],
  ["unpacks to less than it says", bundled(PLAIN_PIECES, { size: 15_301 })],
  ["unpacks to far more than it says", bundled([Buffer.alloc(50_000_000)], { size: 60_000 })],
  ["ends in the middle of an object", bundled([...PLAIN_PIECES, plain("blob", BYTES).subarray(0, 12)])],
  ["holds a bundle", bundled([...PLAIN_PIECES, bundled(PLAIN_PIECES)])],
  ["holds no frames", bundled([Buffer.alloc(2000, 7)])],
])("a bundle that %s is refused, and nothing is kept", async (_, bundle) => {
  const { outcome, indexes } = await receive(inBundle(bundle));
  expect(outcome).toMatch(/^checkpoint_invalid: /);
  expect(indexes).toEqual([]);
});

test("what bundles unpack to counts as what the snapshot has", async () => {
  const zeros = bundled(Array.from({ length: 10 }, () => plain("blob", Buffer.alloc(100_000))));
  const frames = Array.from({ length: 560 }, () => zeros);
  const { outcome } = await receive({ ...inBundle(zeros), frames });
  expect(outcome).toBe("checkpoint_invalid: The snapshot is larger than it may be.");
});

test("more pieces than a snapshot can have are refused, in bundles too, where they hardly take a byte", async () => {
  const said = inBundle(bundled(PLAIN_PIECES));
  expect((await receive(said, newLineage(), { maxObjects: 31 })).outcome).toEqual({ files: 30, bytes: 15_000 });
  expect(await receive(said, newLineage(), { maxObjects: 30 })).toEqual({
    outcome: "checkpoint_invalid: The snapshot has too many pieces.",
    indexes: [],
  });
});

test("frames of directories that came are there without a look at the store", async () => {
  let read = 0;
  const get: typeof store.get = (path, range) => {
    if (path.includes("/packs/")) read += 1;
    return store.get(path, range);
  };
  const lineage = new Lineage(`l${made++}`, { ...store, get }, Buffer.alloc(32, 1));
  const root = treeOf([file("a")]);
  await receive(withRoot(root), lineage);
  const frames = await lineage.treeFrames([nameOf("tree", root)]);
  expect(frames).toEqual(new Map([[nameOf("tree", root), plain("tree", root)]]));
  expect(read).toBe(0);
});

/** Directories in each other, each of which names the one below `width` times. */
function unfolding(depth: number, width: number): Said {
  const frames: Uint8Array[] = [];
  let below = treeOf([]);
  for (let level = 0; level < depth; level++) {
    frames.push(plain("tree", below));
    const name = nameOf("tree", below);
    below = treeOf(Array.from({ length: width }, (_, index) => folder(String.fromCharCode(97 + index), name)));
  }
  return withRoot(below, frames);
}

const bomb = zstdCompressSync(Buffer.alloc(MAX_BLOB_BYTES));
const big = Buffer.alloc(MAX_BLOB_BYTES + 1);
const spaced = Buffer.from(new TextDecoder().decode(treeOf([file("a")])).replace("{", "{ "));
const whole = withEntries(file("a"));

const HOSTILE: readonly [string, Said, string][] = [
  ["a name that leads up", withEntries(file("..")), "A name in the snapshot is none."],
  ["a name that is the directory", withEntries(file(".")), "A name in the snapshot is none."],
  ["a name with a slash", withEntries(file("a/b")), "A name in the snapshot is none."],
  ["a name with a slash, escaped", withEntries(file("a\\x2fb")), "A name in the snapshot is none."],
  ["a name that goes on after its end", withEntries(file("a\\x00b")), "A name in the snapshot is none."],
  ["a name that is too long", withEntries(file("n".repeat(256))), "A name in the snapshot is none."],
  ["a name twice", withEntries(file("a"), file("a")), "Names in a directory of the snapshot are not in order."],
  [
    "a link and below it what it leads to",
    withEntries({ type: "link", name: "a", mtime: "0", target: "/etc" }, folder("a", ELSEWHERE)),
    "Names in a directory of the snapshot are not in order.",
  ],
  ["names out of order", withEntries(file("b"), file("a")), "Names in a directory of the snapshot are not in order."],
  [
    "a target of a link that nothing can hold",
    withEntries({ type: "link", name: "a", mtime: "0", target: "a\\x00b" }),
    "A link's target in the snapshot is none.",
  ],
  [
    "bits of a mode that are none",
    withEntries(file("a", { mode: 0o10644 })),
    "A directory of the snapshot cannot be read.",
  ],
  ["a directory that is no JSON", withRoot(Buffer.from("{")), "A directory of the snapshot cannot be read."],
  ["a directory in another form", withRoot(spaced), "A directory of the snapshot is not in its one form."],
  [
    "a second name that leads out",
    withEntries(file("a"), { type: "twin", name: "b", of: "../../etc/passwd" }),
    "A second name of a file names none.",
  ],
  [
    "a second name of what comes after it",
    withEntries({ type: "twin", name: "a", of: "b" }, file("b")),
    "A second name of a file names none.",
  ],
  ["a piece that is not there", withEntries(file("a", { blobs: [ELSEWHERE] })), "A piece of a file is missing."],
  ["a piece of another size", withEntries(file("a", { size: 5 })), "A piece of a file is missing."],
  [
    "more pieces than a size has",
    withEntries(file("a", { blobs: [BLOB, BLOB] })),
    "A file of the snapshot has other pieces than its size says.",
  ],
  [
    "a directory as a piece",
    withRoot(treeOf([file("a", { blobs: [nameOf("tree", treeOf([]))], size: treeOf([]).length })]), [
      plain("tree", treeOf([])),
    ]),
    "A piece of a file is missing.",
  ],
  ["a piece as a directory", withEntries(folder("a", BLOB)), "A directory of the snapshot is missing."],
  ["a root that nothing has", { ...whole, root: ELSEWHERE }, "A directory of the snapshot is missing."],
  [
    "a directory that names one not given",
    withEntries(folder("a", ELSEWHERE)),
    "A directory of the snapshot is missing.",
  ],
  ["few directories that unfold to very many", unfolding(40, 20), "The snapshot has too many files."],
  ["directories that are too deep", unfolding(2050, 1), "The snapshot is too deep."],
  [
    "a pack that ends early",
    { ...whole, frames: [Buffer.concat(whole.frames).subarray(0, -3)] },
    "The snapshot ends in the middle.",
  ],
  ["less than it said", { ...whole, packBytes: 10_000 }, "The sandbox gave less of the snapshot than it said."],
  [
    "an object that unpacks to more than it says",
    { ...whole, frames: [encodeObjectFrame({ kind: "blob", packed: true, size: bomb.length, data: bomb })] },
    "An object of the snapshot does not unpack to the size that it says.",
  ],
  [
    "an object that unpacks to less than it says",
    {
      ...whole,
      frames: [
        encodeObjectFrame({ kind: "blob", packed: true, size: MAX_BLOB_BYTES - 1, data: zstdCompressSync(BYTES) }),
      ],
    },
    "An object of the snapshot does not unpack to the size that it says.",
  ],
  [
    "an object that says it unpacks to gigabytes",
    { ...whole, frames: [encodeObjectFrame({ kind: "blob", packed: true, size: 2 ** 32 - 1, data: bomb })] },
    "An object of the snapshot has a header that makes no sense.",
  ],
  ["a piece over the largest", { ...whole, frames: [plain("blob", big)] }, "A piece is too large."],
  [
    "a kind that is none",
    { ...whole, frames: [Buffer.alloc(32, 9)] },
    "An object of the snapshot has a header that makes no sense.",
  ],
];

test.each(HOSTILE)("%s is refused, and nothing of it counts", async (_name, said, message) => {
  expect(await receive(said)).toEqual({ outcome: `checkpoint_invalid: ${message}`, indexes: [] });
});

test("many small packs of zeros stop at what a snapshot may have in all", async () => {
  const frame = encodeObjectFrame({ kind: "blob", packed: true, size: MAX_BLOB_BYTES, data: bomb });
  const frames = Array.from({ length: 140 }, () => frame);
  expect(await receive({ ...whole, frames })).toEqual({
    outcome: "checkpoint_invalid: The snapshot is larger than it may be.",
    indexes: [],
  });
});

test("a directory that was received before is looked at anew once what no conversation holds is collected", async () => {
  const lineage = newLineage();
  const below = treeOf([file("a")]);
  const first = withRoot(treeOf([folder("d", nameOf("tree", below))]), [plain("tree", below)]);
  expect((await receive(first, lineage)).outcome).toEqual({ files: 1, bytes: 4 });
  const root = treeOf([folder("e", nameOf("tree", below))]);
  const second = { frames: [plain("tree", root)], root: nameOf("tree", root) };
  const objects = await lineage.objects();
  await lineage.replaceIndexes(new Map([...objects].filter(([, { kind }]) => kind === "tree")));
  expect((await receive(second, lineage)).outcome).toBe("checkpoint_invalid: A piece of a file is missing.");
  await lineage.replaceIndexes(objects);
  expect((await receive(second, lineage)).outcome).toEqual({ files: 1, bytes: 4 });
});
