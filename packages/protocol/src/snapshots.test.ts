import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeTree, MAX_FILE_BLOBS, parseTree, type SnapshotEntry, treeInParts, treePieces } from "./snapshots.ts";

const NAME = "0123456789abcdef".repeat(4);
const ENTRIES: readonly SnapshotEntry[] = [
  { type: "file", name: "a", mode: 0o644, mtime: "1700000000000000000", size: 4, blobs: [NAME] },
  { type: "directory", name: "b", tree: NAME },
  { type: "link", name: "c\\xff", mtime: "-1", target: "../x" },
  { type: "twin", name: "d", of: "a" },
  { type: "pipe", name: "e", mode: 0o600, mtime: "0" },
  { type: "left-out", name: "f", reason: "large", bytes: 9 },
];
const TREE = encodeTree({ mode: 0o755, mtime: "0", entries: [...ENTRIES] });
const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

/** Bytes that are changed, taken away, repeated or put in, at some places. */
const mutations = fc.array(
  fc.tuple(
    fc.nat(TREE.length),
    fc.nat(40),
    fc.oneof(
      fc.constantFrom(
        "",
        '"',
        "[",
        "{",
        "\\",
        "/",
        "..",
        "\0",
        "\\\\x00",
        ",",
        "0",
        "1e999",
        "__proto__",
        "\xff",
        "\u00ef\u00bb\u00bf",
      ),
      fc.constantFrom(...ENTRIES.map((entry) => `${JSON.stringify(entry)},`)),
    ),
  ),
  { minLength: 1, maxLength: 3 },
);

/** Gives how many of the bytes that `changed` makes of a directory were read. */
function readOf(tree: Uint8Array, changed: fc.Arbitrary<readonly (readonly [number, number, string])[]>): number {
  let read = 0;
  const check = (bytes: Uint8Array) => {
    try {
      const { mode, mtime, entries } = parseTree(bytes);
      read += 1;
      expect(text(encodeTree({ mode, mtime, entries })) === text(bytes)).toBe(true);
      const names = entries.map(({ name }) => name);
      expect(names.filter((name) => /^\.{0,2}$|[/\0]|\\x(?:2f|00)/.test(name))).toEqual([]);
      expect(names).toEqual([...new Set(names)].toSorted());
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "checkpoint_invalid" });
    }
  };
  check(tree);
  fc.assert(
    fc.property(changed, (changes) => {
      let bytes = text(tree);
      for (const [at, length, put] of changes) bytes = bytes.slice(0, at) + put + bytes.slice(at + length);
      check(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    }),
    { numRuns: tree === TREE ? 1000 : 20, seed: 1 },
  );
  return read;
}

test("whatever bytes are read as a directory, they are its one form with names that are names, or refused", () => {
  expect(readOf(TREE, mutations)).toBeGreaterThan(0);
});

/** What looks like the end of an entry, and one that is over a slice, among so many that they are read in several. */
const MANY: readonly SnapshotEntry[] = Array.from({ length: 2400 }, (_, at) => {
  const name = `${10_000 + at}`;
  if (at === 1800) return { type: "file", name, mode: 1, mtime: "0", size: 9e9, blobs: Array<string>(2146).fill(NAME) };
  return at % 2 === 0
    ? { type: "link", name, mtime: "0", target: '},{"type":"},{' }
    : { type: "pipe", name: `${name}},{`, mode: 0o600, mtime: "0" };
});
const LARGE = encodeTree({ mode: 0o755, mtime: "0", entries: [...MANY] });

test("a large directory is read in small parts, as one of few entries is", () => {
  expect(parseTree(LARGE)).toEqual({ mode: 0o755, mtime: "0", entries: MANY });
  const steps = Array.from(treeInParts(LARGE));
  expect(steps.length).toBe(3);
});

test.each([0, 1, 1000, 1001, 2500])("a directory of %i entries is written in small pieces as it is in one", (count) => {
  const entries = Array.from({ length: count }, (_, at): SnapshotEntry => ({ type: "twin", name: `${at}`, of: "a" }));
  const tree = { mode: 0o755, mtime: "-1", entries };
  const pieces = [...treePieces(tree)];
  expect(pieces.map(text).join("")).toBe(text(encodeTree(tree)));
  expect(pieces.length).toBe(Math.ceil(count / 1000) + 2);
});

const HEAD_END = text(LARGE).indexOf("[") + 1;
/** Behind the comma between the first part and the second. */
const CUT = text(LARGE).indexOf('},{"t', HEAD_END + 64 * 1024) + 2;
const withText = (at: number, put: string) =>
  Uint8Array.from(text(LARGE).slice(0, at) + put + text(LARGE).slice(at), (character) => character.charCodeAt(0));

test("whatever is changed where the parts of a large directory meet, it is read in its one form or refused", () => {
  const put = fc.constantFrom("", ",", "}", "]", "{", "},{", "\xef\xbb\xbf", "\xff", "],[", JSON.stringify(MANY[0]));
  const near = fc.tuple(fc.integer({ min: CUT - 4, max: CUT + 4 }), fc.nat(2), put);
  expect(
    readOf(
      LARGE,
      near.map((change) => [change]),
    ),
  ).toBeGreaterThan(0);
});

test("names are in order also from one part of a large directory to the next", () => {
  const before = text(LARGE).slice(HEAD_END, CUT).split('},{"t').length - 1;
  const twice = withText(CUT, `${JSON.stringify(MANY[before])},`);
  expect(() => parseTree(twice)).toThrow("Names in a directory of the snapshot are not in order.");
});

test("a byte order mark before the entries of a directory is no part of its one form", () => {
  expect(() => parseTree(withText(HEAD_END, "\xef\xbb\xbf"))).toThrow("A directory of the snapshot cannot be read.");
});

test("an entry that is written in another form is refused", () => {
  const other = text(TREE).replace('"tree"', ' "tree"');
  expect(() => parseTree(new TextEncoder().encode(other))).toThrow(
    "A directory of the snapshot is not in its one form.",
  );
});

test("a file has pieces up to 64 GiB", () => {
  const of = (count: number) => {
    const blobs = Array<string>(count).fill(NAME);
    return encodeTree({
      mode: 0,
      mtime: "0",
      entries: [{ type: "file", name: "a", mode: 0, mtime: "0", size: count * 2 ** 22, blobs }],
    });
  };
  expect(parseTree(of(MAX_FILE_BLOBS)).entries).toHaveLength(1);
  expect(() => parseTree(of(MAX_FILE_BLOBS + 1))).toThrow("A directory of the snapshot cannot be read.");
});

test.each([
  ["numbers", "1"],
  ["records without a type", "{}"],
  ["records with nothing else", '{"type":"pipe"}'],
  ["lists", "[[]]"],
  ["files of wrong pieces", `{"type":"file","blobs":[${'"",'.repeat(100)}1]}`],
])("a directory of very many entries that are %s is refused like one of few", (_, entry) => {
  const count = Math.floor(1_000_000 / entry.length);
  const json = `{"mode":493,"mtime":"0","entries":[${`${entry},`.repeat(count)}${entry}]}`;
  expect(() => parseTree(new TextEncoder().encode(json))).toThrow(
    expect.objectContaining({ code: "checkpoint_invalid" }),
  );
});

test("a file of very many pieces that are none is refused like one of few", () => {
  const blobs = `${'"",'.repeat(300_000)}""`;
  const json = `{"mode":493,"mtime":"0","entries":[{"type":"file","name":"a","mode":1,"mtime":"0","size":4,"blobs":[${blobs}]}]}`;
  expect(() => parseTree(new TextEncoder().encode(json))).toThrow(
    expect.objectContaining({ code: "checkpoint_invalid" }),
  );
});
