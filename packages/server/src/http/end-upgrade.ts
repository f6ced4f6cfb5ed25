import type { Duplex } from "node:stream";

const LINGER_MS = 1000;

/**
 * Answers a request for another protocol that is not served, and ends its connection. Who does not end too is cut off: no time
 * limit of the server holds for such a connection any more.
 */
export function endUpgrade(stream: Duplex, answer: string): void {
  stream.end(answer);
  stream.resume();
  const timer = setTimeout(() => stream.destroy(), LINGER_MS);
  stream.once("close", () => clearTimeout(timer));
}
