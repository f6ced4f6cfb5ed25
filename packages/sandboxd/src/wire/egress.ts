import { createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";
import type { Connection } from "./connection.ts";

/** Listens on the sandbox's loopback and hands each connection to the server; without a server, closes it. */
export async function egressListener(port: number, current: () => Connection | undefined): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => forward(socket, current()));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

function forward(socket: Socket, connection: Connection | undefined): void {
  const channel = connection?.openChannel("egress");
  if (channel === undefined) {
    socket.destroy();
    return;
  }
  pipeline(socket, channel, socket, () => {
    channel.destroy();
    socket.destroy();
  });
}
