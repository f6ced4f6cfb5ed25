/** Numbers of 32 bits whose bits in `mask` are as in `value`. */
export type Bits = { readonly mask: number; readonly value: number };

/** One number alone. */
export const exactly = (value: number): Bits => ({ mask: 0xffff_ffff, value });

/**
 * All numbers but these, in kinds of which no two share a number. A filter that can only list what it allows takes them:
 * it compares 64 bits where the kernel looks at 32, so that a number which is not the refused one could still mean it.
 */
export function allBut(refused: readonly Bits[]): readonly Bits[] {
  return rest({ mask: 0, value: 0 }, refused, bitsOf(refused));
}

function rest(kind: Bits, refused: readonly Bits[], bits: readonly number[]): readonly Bits[] {
  const within = refused.filter(({ mask, value }) => ((value ^ kind.value) & mask & kind.mask) === 0);
  if (within.length === 0) return [kind];
  if (within.some(({ mask }) => (mask & ~kind.mask) === 0)) return [];
  const [bit = 0, ...others] = bits;
  const mask = (kind.mask | bit) >>> 0;
  const halves = [kind.value, (kind.value | bit) >>> 0];
  return halves.flatMap((value) => rest({ mask, value }, within, others));
}

/** Bits that tell the refused apart from others; first those that all of them have a say in. */
function bitsOf(refused: readonly Bits[]): readonly number[] {
  const saying = (bit: number) => refused.filter(({ mask }) => (mask & bit) !== 0).length;
  const bits = Array.from({ length: 32 }, (_, place) => (1 << place) >>> 0);
  return bits.filter((bit) => saying(bit) > 0).toSorted((one, other) => saying(other) - saying(one));
}
