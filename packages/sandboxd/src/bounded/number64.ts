const TWO_32 = 2 ** 32;

/** A number of 64 bits that is known to be below 2^53, without a BigInt. */
export const number64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;

export function setNumber64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

type At = readonly [view: DataView, at: number];

/** Copies so many bytes, a multiple of four. */
export function copyWords([from, fromAt]: At, [to, toAt]: At, bytes: number): void {
  for (let at = 0; at < bytes; at += 4) to.setUint32(toAt + at, from.getUint32(fromAt + at, true), true);
}
