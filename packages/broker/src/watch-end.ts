import type { Duplex } from "node:stream";
import { JoinedBytes } from "./joined-bytes.ts";

/** What is read ahead of a client; one that sends more is heard no further. */
const MAX_AHEAD_BYTES = 64 * 1024;

/**
 * Calls `gone` when a client ends whose bytes nobody reads: until they are read, nothing tells of the end behind them. The
 * function that it gives stops that and puts back what came.
 */
export function watchEnd(client: Duplex, gone: () => void): () => void {
  const came = new JoinedBytes();
  const take = (chunk: Buffer) => {
    came.add(chunk);
    if (came.length >= MAX_AHEAD_BYTES) client.pause();
  };
  client.on("data", take).once("end", gone).resume();
  return () => {
    client.pause();
    client.off("data", take).off("end", gone);
    if (came.length > 0 && !client.readableEnded && !client.destroyed) client.unshift(came.all());
  };
}
