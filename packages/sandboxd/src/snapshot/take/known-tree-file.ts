import { closeSync, openSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { SnapshotEntry } from "@handrail/protocol/snapshots";
import * as z from "zod/mini";
import { writeAll } from "../native/native-write.ts";
import type { KnownEntry, KnownTree, Stamp } from "../objects/known-tree.ts";
import { Turns } from "../turns.ts";

/** Of directories that are no more: with so much of them on top, all is written anew. */
const SLACK_BYTES = 1024 * 1024;

/** Inode, size, and when it and its content changed. */
type StampLine = [string, number, string, string];
/** A name, what tells that it is still the same, what it is, and the number of its directory. */
type EntryLine = [string, StampLine | null, SnapshotEntry, number | null];
/** Its number, the tree's name, mode, time, and what is in it. */
type DirectoryLine = [number, string, number, string, EntryLine[]];

/** More of what is in the directory of that number. */
type MoreLine = [number, EntryLine[]];

/** Entries of a line. */
const LINE_ENTRIES = 1000;

/** A directory, more of one, or the number of the root. Made when it is needed: a sandboxd that starts has nothing to read mostly. */
function lineShape(): z.ZodMiniType<DirectoryLine | MoreLine | number> {
  const stamp = z.tuple([z.string(), z.number(), z.string(), z.string()]);
  const entry = z.tuple([z.string(), z.nullable(stamp), z.custom<SnapshotEntry>(), z.nullable(z.number())]);
  const entries = z.array(entry);
  const directory = z.tuple([z.number(), z.string(), z.number(), z.string(), entries]);
  return z.union([directory, z.tuple([z.number(), entries]), z.number()]);
}

/**
 * A tree that a snapshot saw, in a file, for a sandboxd that starts anew. Lines are added for the directories that
 * changed; the last root counts. What a crash cuts off is of no use, and does no harm.
 */
export class KnownTreeFile {
  readonly #path: string;
  #numbers = new WeakMap<KnownTree, number>();
  #next = 0;
  #fullBytes = 0;
  /** Zero: the next time all is written. */
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Null when there is none that can be read. In turns. */
  async read(): Promise<KnownTree | null> {
    try {
      const bytes = await readFile(this.#path);
      const turns = new Turns();
      const shape = lineShape();
      const trees: OpenedTree[] = [];
      let root: KnownTree | undefined;
      for (const line of linesOf(bytes)) {
        if (turns.isOver) await turns.rest();
        const read = shape.parse(JSON.parse(line));
        if (typeof read === "number") root = trees[read];
        else take(read, trees);
      }
      return root ?? null;
    } catch {
      return null;
    }
  }

  /**
   * A line at a time, with a rest after each, for as long as `mayGoOn`: false when it may not. A full disk ends it
   * too: what is there tells of an earlier snapshot.
   */
  async write(tree: KnownTree, mayGoOn: () => boolean): Promise<boolean> {
    const anew = this.#bytes === 0 || this.#bytes > 2 * this.#fullBytes + SLACK_BYTES;
    if (anew) this.#forget();
    try {
      const ended = await this.#add(anew ? `${this.#path}.new` : this.#path, anew ? "w" : "a", tree, mayGoOn);
      if (anew && !ended) this.#forget();
      if (!anew || !ended) return ended;
      renameSync(`${this.#path}.new`, this.#path);
      this.#fullBytes = this.#bytes;
    } catch {
      this.#forget();
    }
    return true;
  }

  async #add(path: string, flags: string, tree: KnownTree, mayGoOn: () => boolean): Promise<boolean> {
    const file = openSync(path, flags, 0o600);
    const put = (line: unknown) => {
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
      writeAll(file, bytes);
      this.#bytes += bytes.length;
    };
    try {
      for (const line of this.#unwrittenLines(tree)) {
        put(line);
        await new Promise((resolve) => setImmediate(resolve));
        if (!mayGoOn()) return false;
      }
      put(this.#numbers.get(tree));
      return true;
    } finally {
      closeSync(file);
    }
  }

  /** Those below a directory come before it. */
  #unwritten(tree: KnownTree, into: KnownTree[] = []): readonly KnownTree[] {
    if (this.#numbers.has(tree)) return into;
    for (const { directory } of tree.entries.values()) if (directory !== undefined) this.#unwritten(directory, into);
    into.push(tree);
    return into;
  }

  /** A directory counts as written once more than its lines is asked for. */
  *#unwrittenLines(tree: KnownTree): Generator<DirectoryLine | MoreLine> {
    for (const directory of this.#unwritten(tree)) {
      const number = this.#next++;
      yield* this.#lines(number, directory);
      this.#numbers.set(directory, number);
    }
  }

  *#lines(number: number, { tree, mode, mtime, entries }: KnownTree): Generator<DirectoryLine | MoreLine> {
    const all = [...entries];
    const some = (from: number) =>
      all.slice(from, from + LINE_ENTRIES).map(([name, entry]) => this.#entryLine(name, entry));
    yield [number, tree, mode, mtime, some(0)];
    for (let at = LINE_ENTRIES; at < all.length; at += LINE_ENTRIES) yield [number, some(at)];
  }

  #entryLine(name: string, { stamp, entry, directory }: KnownEntry): EntryLine {
    const below = directory === undefined ? null : (this.#numbers.get(directory) ?? null);
    if (stamp === undefined) return [name, null, entry, below];
    const { inode, size, changedNs, modifiedNs } = stamp;
    return [name, [String(inode), size, String(changedNs), String(modifiedNs)], entry, below];
  }

  #forget(): void {
    this.#numbers = new WeakMap();
    this.#next = 0;
    this.#bytes = 0;
  }
}

/** Whole lines only. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let at = 0, end = bytes.indexOf("\n"); end >= 0; at = end + 1, end = bytes.indexOf("\n", at)) {
    yield bytes.toString("utf8", at, end);
  }
}

type OpenedTree = KnownTree & { readonly entries: Map<string, KnownEntry> };

function take(line: DirectoryLine | MoreLine, trees: OpenedTree[]): void {
  const [number] = line;
  if (line.length === 5) {
    const [, tree, mode, mtime] = line;
    trees[number] = { tree, mode, mtime, entries: new Map() };
  }
  const lines = line.length === 5 ? line[4] : line[1];
  const entries = trees[number]?.entries;
  for (const [name, stamp, entry, below] of lines) {
    entries?.set(name, { stamp: openedStamp(stamp), entry, directory: below === null ? undefined : trees[below] });
  }
}

function openedStamp(line: StampLine | null): Stamp | undefined {
  if (line === null) return undefined;
  const [inode, size, changedNs, modifiedNs] = line;
  return { inode: BigInt(inode), size, changedNs: BigInt(changedNs), modifiedNs: BigInt(modifiedNs) };
}
