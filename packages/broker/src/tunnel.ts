import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";

/**
 * Passes bytes both ways until both sides have ended, or one breaks off, which breaks the other. A side that only ends
 * what it sends still gets what the other has to say. Each side is read no faster than the other takes it.
 */
export async function tunnel(client: Duplex, upstream: Socket, head: Uint8Array): Promise<void> {
  if (head.length > 0) upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
  try {
    await Promise.all([finished(client), finished(upstream)]);
  } catch {
    // Who broke off does not matter: both are gone.
  } finally {
    client.destroy();
    upstream.destroy();
  }
}
