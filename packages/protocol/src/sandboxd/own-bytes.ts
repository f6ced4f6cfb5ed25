/** The same bytes in memory of their own. `slice` does that too, but for those of Node, of which it gives a part. */
export const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
