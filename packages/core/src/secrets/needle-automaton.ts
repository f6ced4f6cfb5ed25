import { forkOf, MORE, type NeedleTrie, needleTrie, NEXT, SHORTEST_NEEDLE } from "./needle-trie.ts";
import { type WindowFilter, windowFilter } from "./window-filter.ts";

/** The longest needle that ends at a place, and whose it is. */
export type Match = { readonly length: number; readonly name: string };

/** Of `SHORTEST_NEEDLE` bytes at least. */
export type Needle = { readonly bytes: Uint8Array; readonly name: string };

/** Where a scan is: what was read last is the beginning of a needle. 0 is the start. */
export type Place = number;

/** Is told of the longest needle that ends after so many of the bytes; true: no more is wanted. */
export type Found = (end: number, match: Match) => boolean;

/**
 * Finds all needles in a text of bytes in one pass (Aho and Corasick, "Efficient string matching", 1975). Where no needle can
 * begin, as in nearly all bytes, they are only skipped.
 */
export type NeedleAutomaton = {
  /** Reads on from a place; gives the one after the bytes. */
  readonly scan: (bytes: Uint8Array, place: Place, found: Found) => Place;
  /** How many of the last bytes are the beginning of a needle that more bytes may complete. */
  readonly open: (place: Place) => number;
  readonly longest: number;
};

/** Builds the automaton. Time and memory are in proportion to the needles' bytes together. */
export function needleAutomaton(given: readonly Needle[]): NeedleAutomaton {
  const needles = given.filter(({ bytes }) => bytes.length >= SHORTEST_NEEDLE);
  const all = needles.map(({ bytes }) => bytes);
  const trie = needleTrie(all);
  const first = Int32Array.from({ length: 256 }, (_, byte) => childOf(trie, byte));
  const fails = new Int32Array(trie.size);
  const next = stepOf(trie, fails, first);
  fillFails(trie, fails, next);
  const matches = needles.map(({ bytes, name }) => ({ length: bytes.length, name }));
  return {
    longest: matches.reduce((most, { length }) => Math.max(most, length), 0),
    open(place) {
      let node = place;
      while (node !== 0 && trie.ways[node] === 0) node = fails[node] ?? 0;
      return trie.depths[node] ?? 0;
    },
    scan: scanOf({ trie, matches, next, filter: windowFilter(all) }),
  };
}

const childOf = (trie: NeedleTrie, byte: number) =>
  ((trie.ways[0] ?? 0) & NEXT) !== 0 && trie.bytes[1] === byte ? 1 : forkOf(trie, 0, byte);

type Step = (node: number, byte: number) => number;

/** To the longest beginning of a needle that the bytes up to this one end with. */
function stepOf(trie: NeedleTrie, fails: Int32Array, first: Int32Array): Step {
  const { ways, bytes } = trie;
  return (from, byte) => {
    for (let node = from; node !== 0; node = fails[node] ?? 0) {
      const way = ways[node] ?? 0;
      if ((way & NEXT) !== 0 && bytes[node + 1] === byte) return node + 1;
      const fork = (way & MORE) === 0 ? 0 : forkOf(trie, node, byte);
      if (fork !== 0) return fork;
    }
    return first[byte] ?? 0;
  };
}

/** Where to go on when no needle continues: the longest proper end that begins one. Its needle ends here too. */
function fillFails({ size, bytes, parents, depths, ends }: NeedleTrie, fails: Int32Array, next: Step): void {
  for (const node of byDepth(size, depths)) {
    const parent = parents[node] ?? 0;
    const fail = parent === 0 ? 0 : next(fails[parent] ?? 0, bytes[node] ?? 0);
    fails[node] = fail;
    if (ends[node] === 0) ends[node] = ends[fail] ?? 0;
  }
}

/** All nodes but the root, shorter beginnings before longer ones. */
function byDepth(size: number, depths: Int32Array): Int32Array {
  const starts = new Int32Array(size + 1);
  for (let node = 1; node < size; node += 1) {
    const after = (depths[node] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let depth = 1; depth <= size; depth += 1) starts[depth] = (starts[depth] ?? 0) + (starts[depth - 1] ?? 0);
  const nodes = new Int32Array(size - 1);
  for (let node = 1; node < size; node += 1) {
    const depth = depths[node] ?? 0;
    const at = starts[depth] ?? 0;
    starts[depth] = at + 1;
    nodes[at] = node;
  }
  return nodes;
}

type Parts = {
  readonly trie: NeedleTrie;
  readonly matches: readonly Match[];
  readonly next: Step;
  readonly filter: WindowFilter;
};

/**
 * Skips where the longest open beginning is shorter than any needle: it is read again as a window, with the bytes after it.
 * `from` is where such a window may begin: within these bytes, and behind the last one that was read on from.
 */
function scanOf({ trie, matches, next, filter }: Parts): NeedleAutomaton["scan"] {
  const { depths, ends } = trie;
  const { skip } = filter;
  return (bytes, place, found) => {
    const { length } = bytes;
    const last = length - SHORTEST_NEEDLE;
    let node = place;
    let from = 0;
    for (let at = 0; at < length;) {
      const begin = at - numberAt(depths, node);
      if (begin > at - SHORTEST_NEEDLE && begin >= from && begin <= last) {
        at = skip(bytes, begin);
        from = at + 1;
        node = 0;
      }
      node = next(node, numberAt(bytes, at));
      at += 1;
      const end = numberAt(ends, node);
      if (end !== 0 && found(at, matches[end - 1] ?? NOBODYS)) return node;
    }
    return node;
  };
}

const numberAt = (numbers: Int32Array | Uint8Array, at: number) => numbers[at] ?? 0;

const NOBODYS: Match = { length: 0, name: "" };
