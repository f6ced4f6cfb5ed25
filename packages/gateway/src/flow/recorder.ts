/** Keeps a copy of what passes, up to a size. */
export type Recorder = {
  see(chunk: Uint8Array): void;
  /** Undefined when it was too much. */
  whole(): Buffer | undefined;
  /** The beginning, as far as it was kept. */
  beginning(): Buffer;
};

export function recorder(maxBytes: number): Recorder {
  const parts: Uint8Array[] = [];
  let size = 0;
  return {
    see(chunk) {
      if (size < maxBytes) parts.push(chunk.subarray(0, maxBytes - size));
      size += chunk.length;
    },
    whole: () => (size <= maxBytes ? Buffer.concat(parts) : undefined),
    beginning: () => Buffer.concat(parts),
  };
}
