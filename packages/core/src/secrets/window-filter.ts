import { SHORTEST_NEEDLE } from "./needle-trie.ts";

/** Tells fast where in bytes no needle can begin. */
export type WindowFilter = {
  /**
   * The first place at or after `from` where the next `SHORTEST_NEEDLE` bytes may begin a needle; where so many are not left
   * when there is none.
   */
  readonly skip: (bytes: Uint8Array, from: number) => number;
};

const LEAST_BITS = 13;
/** 2 MiB. Above some hundred thousand needles, more windows look like one that begins a needle. */
const MOST_BITS = 24;
const BITS_FOR_NEEDLE = 64;

/**
 * A window's hash is rolled on: each byte moves those before it up by four bits, and so out of it after eight. The hashes of
 * what needles begin with are kept as bits.
 */
export function windowFilter(needles: readonly Uint8Array[]): WindowFilter {
  const wanted = Math.ceil(Math.log2(Math.max(1, needles.length) * BITS_FOR_NEEDLE));
  const width = Math.min(MOST_BITS, Math.max(LEAST_BITS, wanted));
  const shift = 32 - width;
  const kept = new Int32Array(2 ** (width - 5));
  for (const needle of needles) {
    const hash = rolled(needle, 0, SHORTEST_NEEDLE) >>> shift;
    kept[hash >>> 5] = (kept[hash >>> 5] ?? 0) | (1 << (hash & 31));
  }
  return {
    skip(bytes, from) {
      const { length } = bytes;
      let at = Math.min(length, from + SHORTEST_NEEDLE - 1);
      for (let hash = rolled(bytes, from, at); at < length; at += 1) {
        hash = ((hash << 4) + (MIXED[bytes[at] ?? 0] ?? 0)) | 0;
        const bit = hash >>> shift;
        if ((((kept[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1) return at - SHORTEST_NEEDLE + 1;
      }
      return Math.max(from, length - SHORTEST_NEEDLE + 1);
    },
  };
}

function rolled(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  for (let at = from; at < to; at += 1) hash = ((hash << 4) + (MIXED[bytes[at] ?? 0] ?? 0)) | 0;
  return hash;
}

/** A number for each byte, with nothing in common. Source: the finalizer of MurmurHash3, by Austin Appleby */
const MIXED = Int32Array.from({ length: 256 }, (_, byte) => {
  let mixed = Math.imul(byte + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
});
