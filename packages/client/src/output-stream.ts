/** New bytes of a terminal's output: they begin at `offset`. `skipped` bytes before them are kept nowhere any more. */
export type OutputPiece = { readonly offset: number; readonly bytes: Uint8Array; readonly skipped: number };

/**
 * The part of a piece of output that is new to a reader who has everything before byte `next`; null when nothing is.
 * A piece that begins later than `next` is taken: the server sends in order, so what is between is gone. Pure.
 */
export function newOutput(next: number, offset: number, bytes: Uint8Array): OutputPiece | null {
  const known = Math.max(0, next - offset);
  if (known >= bytes.length) return null;
  return { offset: offset + known, bytes: bytes.subarray(known), skipped: Math.max(0, offset - next) };
}

/** The bytes of a base64 text (RFC 4648 §4). */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Bytes as base64 (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
