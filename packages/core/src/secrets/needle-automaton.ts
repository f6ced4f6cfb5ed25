/** The longest needle that ends at a place, and whose it is. */
export type Match = { readonly length: number; readonly name: string };

export type Needle = { readonly bytes: Uint8Array; readonly name: string };

/** Where a scan is. */
export type Place = {
  /** Undefined when no needle ends here. */
  readonly match: Match | undefined;
  /** How many of the last bytes are the beginning of a needle that more bytes may complete. */
  readonly open: number;
};

/** Finds all needles in a text of bytes in one pass (Aho and Corasick, "Efficient string matching", 1975). */
export type NeedleAutomaton<At extends Place = Place> = {
  readonly start: At;
  next(place: At, byte: number): At;
  readonly longest: number;
};

type Node = {
  readonly id: number;
  readonly depth: number;
  readonly parent: Node | undefined;
  readonly byte: number;
  match: Match | undefined;
  /** Where to go on when no needle continues: the longest proper suffix that begins one. */
  fail: Node | undefined;
  open: number;
  inner: boolean;
};

/** By parent and byte, as `id * 256 + byte`. */
type Edges = Map<number, Node>;

/** Builds the automaton. Time and memory are in proportion to the needles' bytes together. */
export function needleAutomaton(needles: readonly Needle[]): NeedleAutomaton<Node> {
  const start: Node = { ...LEAF, id: 0, depth: 0, parent: undefined, byte: 0 };
  const edges: Edges = new Map();
  const nodes = [start];
  for (const needle of needles) addNeedle(needle, nodes, edges);
  const first = new Uint8Array(256);
  for (const { bytes } of needles) first[bytes[0] ?? 0] = 1;
  const next = (place: Node, byte: number): Node => {
    if (place === start && first[byte] === 0) return start;
    for (let at: Node | undefined = place; at !== undefined; at = at.fail) {
      const to = edges.get(at.id * 256 + byte);
      if (to !== undefined) return to;
    }
    return start;
  };
  // Breadth first, so that shorter beginnings are known before longer ones.
  for (const node of nodes.slice(1).toSorted((a, b) => a.depth - b.depth)) {
    const fail = node.parent?.fail === undefined ? start : next(node.parent.fail, node.byte);
    node.fail = fail;
    node.open = node.inner ? node.depth : fail.open;
    node.match ??= fail.match;
  }
  return { start, next, longest: needles.reduce((most, { bytes }) => Math.max(most, bytes.length), 0) };
}

const LEAF = { match: undefined, fail: undefined, open: 0, inner: false };

function addNeedle({ bytes, name }: Needle, nodes: Node[], edges: Edges): void {
  let [node] = nodes;
  for (const byte of bytes) {
    if (node === undefined) return;
    const key = node.id * 256 + byte;
    const known = edges.get(key);
    const to: Node = known ?? { ...LEAF, id: nodes.length, depth: node.depth + 1, parent: node, byte };
    node.inner = true;
    if (known === undefined) {
      edges.set(key, to);
      nodes.push(to);
    }
    node = to;
  }
  if (node !== undefined && bytes.length > 0) node.match ??= { length: bytes.length, name };
}
