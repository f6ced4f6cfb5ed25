import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Where the kernel takes no port from by itself: a connection of somebody else, or a server that asks for any port, does
 * not get one of these while it is not yet, or for a moment no longer, in use. See ip_local_port_range in ip(7).
 */
const [FIRST, LAST] = [10_000, 32_000];

/** A port of loopback that nothing listens on just now, and that is given to nobody who asks for any. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
