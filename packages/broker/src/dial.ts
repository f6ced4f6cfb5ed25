import { connect, type Socket } from "node:net";

const CONNECT_MS = 10_000;
const TRIES = 4;

/** A connection to the first of the addresses that answers, or undefined. Half-open; the caller closes it. */
export async function dial(addresses: readonly string[], port: number): Promise<Socket | undefined> {
  for (const address of addresses.slice(0, TRIES)) {
    const socket = await dialOne(address, port);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

function dialOne(address: string, port: number): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  // With an address for a host, nothing is looked up again.
  const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  const fail = () => {
    socket.destroy();
    resolve(undefined);
  };
  const timer = setTimeout(fail, CONNECT_MS);
  socket.once("error", fail);
  socket.once("connect", () => {
    socket.off("error", fail);
    clearTimeout(timer);
    resolve(socket);
  });
  socket.once("close", () => clearTimeout(timer));
  return promise;
}
