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

/** Pieces of one file. */
export const MAX_FILE_BLOBS = 16_384;
/** 64 GiB. */
export const MAX_FILE_BYTES: number = MAX_FILE_BLOBS * MAX_BLOB_BYTES;

/** Of a tree's entries so much is read at once, or one that is longer. */
const SLICE_BYTES = 64 * 1024;
/** No entry is written in more: the one with most pieces, with a name of any kind. */
const MAX_ENTRY_BYTES = 72 * MAX_FILE_BLOBS + 16 * 1024;
/** No value of a tree is written in less, on average. */
const MIN_VALUE_BYTES = 8;
const MAX_SLICE_VALUES = SLICE_BYTES / MIN_VALUE_BYTES + MAX_FILE_BLOBS;
/** Entries, one of them, its pieces. */
const SLICE_DEPTH = 3;
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
      blobs: z.array(ObjectName).check(z.maxLength(MAX_FILE_BLOBS)),
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

const entriesShape = () => z.array(entryShape());
/** One directory: its own mode and time, and what is in it by the bytes of the names. */
export type SnapshotTree = { mode: number; mtime: string; entries: SnapshotEntry[] };
/** Made when it is first needed, which is never in most sandboxes. */
let madeEntriesShape: ReturnType<typeof entriesShape> | undefined;

/** One thing that was left out of a snapshot. `path` as `pathText` writes it. */
export const LeftOut = z.strictObject({ path: z.string(), reason: LeftOutReason, bytes: Size });
export type LeftOut = z.infer<typeof LeftOut>;

/** Characters of a path that is said beside a snapshot. Of longer ones that were left out only the number is said. */
export const MAX_SAID_PATH = 8192;

/** What a sandbox says of what it left out. */
export const SaidLeftOut = z.extend(LeftOut, { path: z.string().check(z.maxLength(MAX_SAID_PATH)) });

/** A path that is not as it was, with the reason. */
export const SaidFailure = z.string().check(z.maxLength(MAX_SAID_PATH));

/** What a snapshot leaves out: files over the first, and files that would bring the sum over the second. */
export const SnapshotRules = z.strictObject({ maxFileBytes: Size, maxTotalBytes: Size });
export type SnapshotRules = z.infer<typeof SnapshotRules>;

/** A tree's bytes: JSON in one form only, so that equal directories have equal names. */
export function encodeTree(tree: SnapshotTree): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(tree));
}

/** Entries of a piece. */
const PIECE_ENTRIES = 1000;

/** The same bytes in pieces, each of which takes a few milliseconds at most. */
export function* treePieces({ mode, mtime, entries }: SnapshotTree): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encodeTree({ mode, mtime, entries: [] }).subarray(0, -TAIL.length);
  for (let at = 0; at < entries.length; at += PIECE_ENTRIES) {
    const some = JSON.stringify(entries.slice(at, at + PIECE_ENTRIES)).slice(1, -1);
    yield encoder.encode(at === 0 ? some : `,${some}`);
  }
  yield encoder.encode(TAIL);
}

/**
 * Reads a tree that may come from anyone.
 * @throws AppError `checkpoint_invalid` unless it is what `encodeTree` would write: names that are names, each once,
 * in order, and pieces that fit the sizes
 */
export function parseTree(bytes: Uint8Array): SnapshotTree {
  const parts = treeInParts(bytes);
  for (let part = parts.next(); ; part = parts.next()) if (part.done) return part.value;
}

/** The same, a few milliseconds of it at a time. @throws AppError `checkpoint_invalid`, as `parseTree` */
export function* treeInParts(bytes: Uint8Array): Generator<undefined, SnapshotTree> {
  if (bytes.length > MAX_TREE_BYTES) throw invalid("A directory of the snapshot is too large.");
  const end = bytes.length - TAIL.length;
  if (end < 0 || textIn(bytes.subarray(end)) !== TAIL) throw unreadable();
  const { mode, mtime, length } = headOf(bytes);
  const entries: SnapshotEntry[] = [];
  let last = "";
  for (let at = length; at < end;) {
    const next = sliceEnd(bytes, at, end);
    const some = entriesIn(bytes.subarray(at, next));
    if (entries.length + some.length > MAX_SNAPSHOT_ENTRIES) throw unreadable();
    last = checkedEntries(some, last);
    for (const entry of some) entries.push(entry);
    at = next + 1;
    yield;
  }
  return { mode, mtime, entries };
}

const HEAD = /^\{"mode":(0|[1-9]\d{0,3}),"mtime":"(0|-?[1-9]\d{0,19})","entries":\[/;
const MAX_HEAD_BYTES = 80;
const TAIL = "]}";

function headOf(bytes: Uint8Array): { readonly mode: number; readonly mtime: string; readonly length: number } {
  const [head, mode, mtime] = HEAD.exec(textIn(bytes.subarray(0, MAX_HEAD_BYTES), false)) ?? [];
  if (head === undefined || mtime === undefined || Number(mode) > MAX_MODE) throw notInOneForm();
  return { mode: Number(mode), mtime, length: head.length };
}

const BETWEEN = Array.from('},{"t', (text) => text.charCodeAt(0));
const [CLOSE] = BETWEEN;

/**
 * Where a slice ends: between two entries, where there is `},{"t`. In JSON that is nowhere else: within a text the quote would be
 * escaped, and behind one is no letter. What is not JSON is not read, wherever it is cut.
 */
function sliceEnd(bytes: Uint8Array, from: number, end: number): number {
  if (end - from <= SLICE_BYTES) return end;
  for (let at = from + SLICE_BYTES; ; at += 1) {
    const close = bytes.indexOf(CLOSE ?? 0, at);
    at = close === -1 ? end : Math.min(close, end);
    if (at - from > SLICE_BYTES + MAX_ENTRY_BYTES) throw unreadable();
    if (at === end) return end;
    if (BETWEEN.every((byte, index) => bytes[at + index] === byte)) return at + 1;
  }
}

/** Entries that are written as `encodeTree` does. The first wrong ones end the look at them. @throws AppError `checkpoint_invalid` */
function entriesIn(bytes: Uint8Array): SnapshotEntry[] {
  if (bytes.length > SLICE_BYTES && hasMoreValues(bytes, MAX_SLICE_VALUES, SLICE_DEPTH)) throw unreadable();
  const text = `[${textIn(bytes)}]`;
  const entries = entriesOf(jsonIn(text));
  if (JSON.stringify(entries) !== text) throw notInOneForm();
  return entries;
}

function entriesOf(json: unknown): SnapshotEntry[] {
  if (!Array.isArray(json)) throw unreadable();
  madeEntriesShape ??= entriesShape();
  const entries: SnapshotEntry[] = [];
  for (let at = 0; at < json.length; at += BATCH) {
    const some: unknown[] = json.slice(at, at + BATCH);
    const read = some.every(hasPieces) ? madeEntriesShape.safeParse(some) : undefined;
    if (read?.success !== true) throw unreadable();
    for (const entry of read.data) entries.push(entry);
  }
  return entries;
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
  if (bytes.length > MAX_TREE_BYTES) throw invalid("A directory of the snapshot is too large.");
  const tree = jsonIn(textIn(bytes)) as SnapshotTree;
  try {
    if (TIME.test(tree.mtime) && (tree.mode & MAX_MODE) === tree.mode) {
      checkedEntries(tree.entries, "");
      return tree;
    }
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
  }
  throw unreadable();
}

/** Gives the last one's name, as bytes; `last` is that of the one before. @throws AppError `checkpoint_invalid` */
function checkedEntries(entries: readonly SnapshotEntry[], before: string): string {
  let last = before;
  for (const entry of entries) {
    const name = checkedName(entry.name);
    if (name <= last) throw invalid("Names in a directory of the snapshot are not in order.", entry.name);
    last = name;
    if (entry.type === "link") checkedTarget(entry.target);
    if (entry.type === "file" && entry.blobs.length !== Math.ceil(entry.size / MAX_BLOB_BYTES)) {
      throw invalid("A file of the snapshot has other pieces than its size says.", entry.name);
    }
  }
  return last;
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

const notInOneForm = () => invalid("A directory of the snapshot is not in its one form.");

/** Not without a byte order mark, which would else vanish. `fatal`: bytes that are no text are refused. */
function textIn(bytes: Uint8Array, fatal = true): string {
  try {
    return new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unreadable();
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable();
  }
}
