import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import type { TLSSocket } from "node:tls";

const HANDSHAKE_MS = 15_000;

/**
 * Waits for the end of the handshake, and goes on in a turn of its own: where the event comes Node is in the midst of reading,
 * and if the connection is destroyed there it goes on to use memory that is no more, and the process ends.
 * @throws why there is no connection: what the handshake failed with, that it took too long, that a side has gone
 */
export async function handshake(secure: TLSSocket, event: "secure" | "secureConnect"): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  secure.on("error", () => undefined).once("close", leave);
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(HANDSHAKE_MS)]);
  try {
    await once(secure, event, { signal });
  } finally {
    secure.off("close", leave);
    await turn();
  }
  if (secure.destroyed) throw new Error("A side has gone.");
}
