import * as z from "zod/mini";
import { AppError } from "./errors.ts";
import { hasMoreValues } from "./json-values.ts";
import { pathBytes, pathText } from "./paths.ts";

/**
 * What a snapshot of a workspace is made of: blobs (pieces of files) and trees (directories), each named by the
 * SHA-256 of its kind, a line feed and its bytes. A tree names what it holds, so a root's name says all of it.
 */
export type ObjectKind = "tree" | "blob";

/** Files are cut into blobs of this size, the last one shorter. */
export const MAX_BLOB_BYTES = 4 * 1024 * 1024;
/** A tree over this is refused: some hundred thousand names in one directory. */
export const MAX_TREE_BYTES = 32 * 1024 * 1024;
/** Entries of all trees of one snapshot. */
export const MAX_SNAPSHOT_ENTRIES = 1_000_000;
/** Directories in each other; the kernel's longest path has no more. */
export const MAX_SNAPSHOT_DEPTH = 2048;

/** A tree up to this is read whatever it holds; of a larger one the values are counted first. */
const SMALL_TREE_BYTES = 64 * 1024;
/** No value of a tree is written in less, on average. */
const MIN_VALUE_BYTES = 8;
/** A tree, its entries, one of them, its pieces. */
const TREE_DEPTH = 4;
/** So many entries are read at once: each of them that is wrong costs far more than one that is not. */
const BATCH = 500;

const OBJECT_NAME = /^[0-9a-f]{64}$/;
export const ObjectName = z.string().check(z.regex(OBJECT_NAME, "must be a SHA-256 in hexadecimal"));

/** Why something of the workspace is not in a snapshot: it then stays as it is when the snapshot is restored. */
export const LeftOutReason = z.enum(["large", "total", "cache", "special", "unreadable"]);
export type LeftOutReason = z.infer<typeof LeftOutReason>;

/** As `pathText` writes it. */
const Name = z.string().check(z.minLength(1), z.maxLength(1024));
const MAX_MODE = 0o7777;
const Mode = z.int().check(z.minimum(0), z.maximum(MAX_MODE));
/** Nanoseconds since 1970. */
const TIME = /^(?:0|-?[1-9]\d{0,19})$/;
const Time = z.string().check(z.regex(TIME, "must be a whole number"));
const Size = z.int().check(z.nonnegative(), z.maximum(Number.MAX_SAFE_INTEGER));

/**
 * `link`: a symbolic one. `twin`: a hard link to the file of this path, which comes before it in the order in which
 * trees are walked: by the bytes of names, into directories where they stand.
 */
const entryShape = () =>
  z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("file"),
      name: Name,
      mode: Mode,
      mtime: Time,
      size: Size,
      blobs: z.array(ObjectName).check(z.maxLength(1_000_000)),
    }),
    z.strictObject({ type: z.literal("directory"), name: Name, tree: ObjectName }),
    z.strictObject({
      type: z.literal("link"),
      name: Name,
      mtime: Time,
      target: z.string().check(z.minLength(1), z.maxLength(16_384)),
    }),
    z.strictObject({ type: z.literal("twin"), name: Name, of: z.string().check(z.minLength(1), z.maxLength(65_536)) }),
    z.strictObject({ type: z.literal("pipe"), name: Name, mode: Mode, mtime: Time }),
    z.strictObject({ type: z.literal("left-out"), name: Name, reason: LeftOutReason, bytes: Size }),
  ]);
export type SnapshotEntry = z.infer<ReturnType<typeof entryShape>>;
export type SnapshotFile = Extract<SnapshotEntry, { type: "file" }>;

/** One directory: its own mode and time, and what is in it by the bytes of the names. */
const treeShape = () => ({
  whole: z.strictObject({ mode: Mode, mtime: Time, entries: z.array(z.unknown()) }),
  entries: z.array(entryShape()),
});
export type SnapshotTree = { mode: number; mtime: string; entries: SnapshotEntry[] };
/** Made when it is first needed, which is never in most sandboxes. */
let madeTreeShape: ReturnType<typeof treeShape> | undefined;

/** One thing that was left out of a snapshot. `path` as `pathText` writes it. */
export const LeftOut = z.strictObject({ path: z.string(), reason: LeftOutReason, bytes: Size });
export type LeftOut = z.infer<typeof LeftOut>;

/** What a snapshot leaves out: files over the first, and files that would bring the sum over the second. */
export const SnapshotRules = z.strictObject({ maxFileBytes: Size, maxTotalBytes: Size });
export type SnapshotRules = z.infer<typeof SnapshotRules>;

/** A tree's bytes: JSON in one form only, so that equal directories have equal names. */
export function encodeTree(tree: SnapshotTree): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(tree));
}

/**
 * Reads a tree that may come from anyone.
 * @throws AppError `checkpoint_invalid` unless it is what `encodeTree` would write: names that are names, each once,
 * in order, and pieces that fit the sizes
 */
export function parseTree(bytes: Uint8Array): SnapshotTree {
  const isLarge = bytes.length > SMALL_TREE_BYTES && bytes.length <= MAX_TREE_BYTES;
  if (isLarge && hasMoreValues(bytes, bytes.length / MIN_VALUE_BYTES, TREE_DEPTH)) throw unreadable();
  const { text, json } = decoded(bytes);
  const tree = treeIn(json);
  if (JSON.stringify(tree) !== text) throw invalid("A directory of the snapshot is not in its one form.");
  return checkedTree(tree);
}

/** The first wrong entries end the look at it. @throws AppError `checkpoint_invalid` */
function treeIn(json: unknown): SnapshotTree {
  madeTreeShape ??= treeShape();
  const whole = madeTreeShape.whole.safeParse(json);
  if (!whole.success || whole.data.entries.length > MAX_SNAPSHOT_ENTRIES) throw unreadable();
  const entries: SnapshotEntry[] = [];
  for (let at = 0; at < whole.data.entries.length; at += BATCH) {
    const some = whole.data.entries.slice(at, at + BATCH);
    const read = some.every(hasPieces) ? madeTreeShape.entries.safeParse(some) : undefined;
    if (read?.success !== true) throw unreadable();
    for (const entry of read.data) entries.push(entry);
  }
  return { ...whole.data, entries };
}

/** Whether an entry's pieces, where it has a list of some, are named as pieces are. */
function hasPieces(entry: unknown): boolean {
  const blobs: unknown = typeof entry === "object" && entry !== null && "blobs" in entry ? entry.blobs : undefined;
  return !Array.isArray(blobs) || blobs.every((name) => typeof name === "string" && OBJECT_NAME.test(name));
}

/**
 * Reads a tree that comes from who has read it by `parseTree`, in a fraction of the time. Names are checked all the same, and
 * what is no directory at all is refused.
 * @throws AppError `checkpoint_invalid`
 */
export function parseKnownTree(bytes: Uint8Array): SnapshotTree {
  const tree = decoded(bytes).json as SnapshotTree;
  try {
    if (TIME.test(tree.mtime) && (tree.mode & MAX_MODE) === tree.mode) return checkedTree(tree);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
  }
  throw unreadable();
}

/** @throws AppError `checkpoint_invalid` */
function checkedTree(tree: SnapshotTree): SnapshotTree {
  let last = "";
  for (const entry of tree.entries) {
    const name = checkedName(entry.name);
    if (name <= last) throw invalid("Names in a directory of the snapshot are not in order.", entry.name);
    last = name;
    if (entry.type === "link") checkedTarget(entry.target);
    if (entry.type === "file" && entry.blobs.length !== Math.ceil(entry.size / MAX_BLOB_BYTES)) {
      throw invalid("A file of the snapshot has other pieces than its size says.", entry.name);
    }
  }
  return tree;
}

/** The bytes of piece `index` of a file. */
export function blobSize({ size }: SnapshotFile, index: number): number {
  return Math.min(MAX_BLOB_BYTES, size - index * MAX_BLOB_BYTES);
}

/** A name's or path's bytes, one character each, for comparing. Text in its one form only. */
export function byteText(text: string): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(text)) return text;
  return Array.from(pathBytes(text), (byte) => String.fromCharCode(byte)).join("");
}

/** The text of bytes that are written as one character each. */
export function textOfBytes(bytes: string): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(bytes)) return bytes;
  return pathText(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** @throws AppError `checkpoint_invalid` for what no directory entry can be named */
function checkedName(name: string): string {
  const bytes = byteText(name);
  const wrong = bytes === "." || bytes === ".." || bytes.includes("/") || bytes.includes("\0") || bytes.length > 255;
  if (wrong || textOfBytes(bytes) !== name) throw invalid("A name in the snapshot is none.", name);
  return bytes;
}

/** @throws AppError `checkpoint_invalid` for what no symbolic link can hold */
function checkedTarget(target: string): void {
  const bytes = byteText(target);
  const wrong = bytes.includes("\0") || bytes.length > 4095 || textOfBytes(bytes) !== target;
  if (wrong) throw invalid("A link's target in the snapshot is none.", target);
}

const invalid = (message: string, name?: string) =>
  new AppError("checkpoint_invalid", message, name === undefined ? {} : { name: name.slice(0, 300) });

const unreadable = () => invalid("A directory of the snapshot cannot be read.");

function decoded(bytes: Uint8Array): { readonly text: string; readonly json: unknown } {
  if (bytes.length > MAX_TREE_BYTES) throw invalid("A directory of the snapshot is too large.");
  // A byte order mark would vanish in decoding.
  if (bytes[0] !== 0x7b) throw unreadable();
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { text, json: JSON.parse(text) };
  } catch {
    throw unreadable();
  }
}
