import { zstdCompressSync } from "node:zlib";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { MAX_BLOB_BYTES } from "@handrail/protocol/snapshots";
import { expect, test } from "vitest";
import {
  BLOB,
  BYTES,
  file,
  folder,
  plain,
  receiveFixture,
  type Said,
  treeOf,
  withEntries,
  withRoot,
} from "../testing/receive-fixture.ts";
import { Lineage } from "./lineage.ts";
import { nameOf } from "./object-content.ts";

const ELSEWHERE = "0".repeat(64);
const EMPTY = nameOf("tree", treeOf([]));

const { store, newLineage, receive } = receiveFixture();

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

test("frames of directories that came are there without a look at the store", async () => {
  let read = 0;
  const get: typeof store.get = (path, range) => {
    if (path.includes("/packs/")) read += 1;
    return store.get(path, range);
  };
  const lineage = newLineage({ ...store, get });
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
const packedBomb = encodeObjectFrame({ kind: "blob", packed: true, size: MAX_BLOB_BYTES, data: bomb });
const repeated = Array.from({ length: 200 }, () => nameOf("blob", Buffer.alloc(MAX_BLOB_BYTES)));
const trailing = Buffer.concat([zstdCompressSync(Buffer.alloc(5000)), zstdCompressSync(BYTES)]);
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
  [
    "more than any snapshot has, as it says",
    { ...whole, packBytes: Number.MAX_SAFE_INTEGER },
    "The snapshot is larger than it may be.",
  ],
  [
    "a file of one piece again and again",
    withRoot(treeOf([file("a", { size: 200 * MAX_BLOB_BYTES, blobs: repeated })]), [packedBomb]),
    "The snapshot is larger than it may be.",
  ],
  [
    "bytes behind what was packed, over which some pass and others do not",
    { ...whole, frames: [encodeObjectFrame({ kind: "blob", packed: true, size: 5000, data: trailing })] },
    "An object of the snapshot does not unpack to the size that it says.",
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
  const frames = Array.from({ length: 3 }, () => packedBomb);
  expect(await receive({ ...whole, frames }, newLineage(), { maxBytes: 2.9 * MAX_BLOB_BYTES })).toEqual({
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
