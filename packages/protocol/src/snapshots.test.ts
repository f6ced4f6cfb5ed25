import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeTree, parseTree, type SnapshotEntry } from "./snapshots.ts";

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

test("whatever bytes are read as a directory, they are its one form with names that are names, or refused", () => {
  let read = 0;
  const check = (bytes: Uint8Array) => {
    try {
      const tree = parseTree(bytes);
      read += 1;
      expect(text(encodeTree(tree))).toBe(text(bytes));
      for (const { name } of tree.entries) expect(name).not.toMatch(/^\.{0,2}$|[/\0]|\\x(?:2f|00)/);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "checkpoint_invalid" });
    }
  };
  check(TREE);
  fc.assert(
    fc.property(mutations, (changes) => {
      let bytes = text(TREE);
      for (const [at, length, put] of changes) bytes = bytes.slice(0, at) + put + bytes.slice(at + length);
      check(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    }),
    { numRuns: 1000, seed: 1 },
  );
  expect(read).toBeGreaterThan(0);
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
