/**
 * What a shell tells us between its output, as an operating system command that terminals ignore (ECMA-48 §8.3.89):
 * `ESC ] 7717 ; nonce ; kind ; … BEL`. The nonce is new for each shell.
 */
export type Marker =
  /** The command with this id starts; what came since it was typed is its echo. */
  | { readonly kind: "start"; readonly id: string }
  /** The shell is back: the last command's exit code, and where the shell is now. */
  | { readonly kind: "prompt"; readonly exitCode: number; readonly cwd: Buffer }
  /** The prompt is written whole. */
  | { readonly kind: "ready" };

export type Piece = { readonly bytes: Uint8Array } | { readonly marker: Marker };

const MAX_MARKER_BYTES = 8192;
const BEL = 7;

/** What a shell of this nonce writes before the kind of a marker. */
export const markerPrefix = (nonce: string) => `\u001b]7717;${nonce};`;

/** Splits a shell's output, cut anywhere, into plain bytes and markers. Holds back what may become a marker. */
export function markerParser(nonce: string): (bytes: Uint8Array) => Piece[] {
  const prefix = Buffer.from(markerPrefix(nonce));
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const all = held.length > 0 ? Buffer.concat([held, bytes]) : asBuffer(bytes);
    const pieces: Piece[] = [];
    let at = 0;
    let rest: number | undefined;
    for (let found = all.indexOf(prefix); found >= 0; found = all.indexOf(prefix, at)) {
      pieces.push(...plain(all, at, found));
      const end = all.indexOf(BEL, found);
      at = end < 0 ? found + prefix.length : end + 1;
      if (end >= 0) pieces.push(...readMarker(all.subarray(found + prefix.length, end)));
      else if (all.length - found <= MAX_MARKER_BYTES) rest = found;
      if (rest !== undefined) break;
    }
    rest ??= all.length - beginning(all, at, prefix);
    pieces.push(...plain(all, at, rest));
    held = Buffer.from(all.subarray(rest));
    return pieces;
  };
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** How many of the last bytes are the beginning of a prefix. */
function beginning(all: Buffer, from: number, prefix: Buffer): number {
  const start = Math.max(from, all.length - prefix.length + 1);
  for (let at = start; at < all.length; at++) {
    if (all[at] === 0x1b && prefix.subarray(0, all.length - at).equals(all.subarray(at))) return all.length - at;
  }
  return 0;
}

const plain = (all: Buffer, from: number, to: number): Piece[] =>
  to > from ? [{ bytes: all.subarray(from, to) }] : [];

/** None when it is not one of ours. */
function readMarker(body: Buffer): Piece[] {
  const [kind, first, second] = splitted(body, 3);
  const name = kind?.toString("latin1");
  if (name === "ready") return [{ marker: { kind: name } }];
  if (name === "start" && first !== undefined) return [{ marker: { kind: name, id: first.toString() } }];
  const exitCode = Number(first?.toString("latin1"));
  if (name !== "prompt" || second === undefined || !Number.isInteger(exitCode)) return [];
  return [{ marker: { kind: name, exitCode, cwd: Buffer.from(second) } }];
}

/** At most `count` parts between semicolons; the last one holds the rest. */
function splitted(body: Buffer, count: number): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  while (parts.length < count - 1) {
    const end = body.indexOf(";", at);
    if (end < 0) break;
    parts.push(body.subarray(at, end));
    at = end + 1;
  }
  return [...parts, body.subarray(at)];
}
