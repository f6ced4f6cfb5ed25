import type { ByteRing } from "./byte-ring.ts";

/** Raw output that others can follow while it grows. */
export type Feed = {
  readonly ring: ByteRing;
  /** Offset in the ring of this feed's first byte. */
  readonly base: number;
  /** Offset in the ring where this feed is over; undefined while it goes on. */
  end(): number | undefined;
  /** Calls back after more bytes came. Gives the way to stop. */
  onMore(listener: () => void): () => void;
};
