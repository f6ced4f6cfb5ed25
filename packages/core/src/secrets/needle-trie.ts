/** The shortest needle. */
export const SHORTEST_NEEDLE = 8;

/**
 * Needles as a tree of their bytes, in arrays by node: 0 is the root, and a node's number is above its parent's. Needles that
 * follow one another without a fork are nodes in a row, so that most edges need no table.
 */
export type NeedleTrie = {
  readonly size: number;
  /** The byte that leads to the node. */
  readonly bytes: Uint8Array;
  readonly parents: Int32Array;
  readonly depths: Int32Array;
  /** One more than the place of the needle that ends at the node; 0 when none does. */
  readonly ends: Int32Array;
  /** Where more bytes may lead on from the node: `NEXT`, `MORE`, both or 0. */
  readonly ways: Uint8Array;
  /** Edges of `MORE`: the nodes that they lead to, by hash. */
  readonly forks: Int32Array;
};

/** The next number is a child. */
export const NEXT = 1;
/** Others are children, in `forks`. */
export const MORE = 2;

/** Takes some 18 bytes of memory for each byte of the needles. */
export function needleTrie(needles: readonly Uint8Array[]): NeedleTrie {
  const most = needles.reduce((sum, { length }) => sum + length, 1);
  const trie = {
    size: 1,
    bytes: new Uint8Array(most),
    parents: new Int32Array(most),
    depths: new Int32Array(most),
    ends: new Int32Array(most),
    ways: new Uint8Array(most),
    forks: new Int32Array(2 ** Math.ceil(Math.log2(needles.length * 2 + 2))),
  };
  needles.forEach((needle, index) => addNeedle(trie, needle, index));
  const { size, forks } = trie;
  return {
    size,
    bytes: trie.bytes.slice(0, size),
    parents: trie.parents.slice(0, size),
    depths: trie.depths.slice(0, size),
    ends: trie.ends.slice(0, size),
    ways: trie.ways.slice(0, size),
    forks,
  };
}

/** The node that a byte of `MORE` leads to, or 0. */
export function forkOf({ forks, parents, bytes }: NeedleTrie, node: number, byte: number): number {
  const mask = forks.length - 1;
  for (let at = slotOf(node, byte) & mask; ; at = (at + 1) & mask) {
    const child = forks[at] ?? 0;
    if (child === 0 || (parents[child] === node && bytes[child] === byte)) return child;
  }
}

function slotOf(node: number, byte: number): number {
  const mixed = Math.imul(node * 256 + byte, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

type Growing = { -readonly [Key in keyof NeedleTrie]: NeedleTrie[Key] };

function addNeedle(trie: Growing, needle: Uint8Array, index: number): void {
  let node = 0;
  for (const byte of needle) node = childOf(trie, node, byte) || addChild(trie, node, byte);
  if (trie.ends[node] === 0) trie.ends[node] = index + 1;
}

function childOf(trie: NeedleTrie, node: number, byte: number): number {
  const ways = trie.ways[node] ?? 0;
  if ((ways & NEXT) !== 0 && trie.bytes[node + 1] === byte) return node + 1;
  return (ways & MORE) === 0 ? 0 : forkOf(trie, node, byte);
}

function addChild(trie: Growing, node: number, byte: number): number {
  const child = trie.size;
  trie.size += 1;
  trie.bytes[child] = byte;
  trie.parents[child] = node;
  trie.depths[child] = (trie.depths[node] ?? 0) + 1;
  const way = child === node + 1 ? NEXT : MORE;
  trie.ways[node] = (trie.ways[node] ?? 0) | way;
  if (way === MORE) addFork(trie.forks, slotOf(node, byte), child);
  return child;
}

function addFork(forks: Int32Array, slot: number, child: number): void {
  const mask = forks.length - 1;
  let at = slot & mask;
  while (forks[at] !== 0) at = (at + 1) & mask;
  forks[at] = child;
}
