import { once } from "node:events";
import type { ServerResponse } from "node:http";

/** Sees what goes to the client. */
export type Tap = (chunk: Uint8Array) => void;

export type Flowing = {
  readonly first: Uint8Array;
  readonly rest: AsyncIterator<Uint8Array> | undefined;
  readonly tap?: Tap | undefined;
};

/**
 * Writes all of a body, no faster than the client reads, and does not end the response. The source ends however this does.
 * @throws what the source throws; the signal's reason
 */
export async function writeStream(
  response: ServerResponse,
  { first, rest, tap }: Flowing,
  signal: AbortSignal,
): Promise<void> {
  try {
    const firstWaits = write(response, first, { signal, tap });
    if (rest === undefined) return;
    await (firstWaits ?? sent());
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      const waits = write(response, next.value, { signal, tap });
      if (waits) await waits;
    }
  } finally {
    await rest?.return?.();
  }
}

/** Node holds a turn's writes together; so the first bytes leave before the rest of what is here is looked at. */
const sent = () => new Promise<void>((resolve) => process.nextTick(resolve));

type Writing = { readonly signal: AbortSignal; readonly tap: Tap | undefined };

/** Undefined where the client keeps up, or has left: the rest is then only looked at. */
function write(response: ServerResponse, chunk: Uint8Array, { signal, tap }: Writing): Promise<unknown> | undefined {
  signal.throwIfAborted();
  if (chunk.length === 0) return undefined;
  tap?.(chunk);
  if (response.destroyed) return undefined;
  return response.write(chunk) ? undefined : drained(response, signal);
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(response, "drain", { signal });
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  }
}
