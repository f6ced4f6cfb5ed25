import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";

/** Where a daemon listens or dials. */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;

/** A socket's path for the system: `@NAME` is one without a file, which nobody can take away (unix(7)). */
export function socketPath(text: string): string {
  return text.startsWith("@") ? `\0${text.slice(1)}` : text;
}

/** Reads `unix:PATH` or `tcp:HOST:PORT`; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith("unix:") && text.length > 5) return { path: socketPath(text.slice(5)) };
  const [, host, port] = /^tcp:(.+):(\d{1,5})$/.exec(text) ?? [];
  return host === undefined ? undefined : { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

/** Listens; a unix socket is its owner's alone. A stale one is replaced. Settles when it listens. */
export async function listen(address: Address, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, onSocket);
  const file = "path" in address && !address.path.startsWith("\0") ? address.path : undefined;
  if (file !== undefined) rmSync(file, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, resolve);
  });
  if (file !== undefined) chmodSync(file, 0o600);
  return server;
}

/** Dials, and dials again for ever when the connection cannot be made or breaks. Gives the way to stop. */
export function keepDialling(address: NetConnectOpts, onSocket: (socket: Socket) => void): () => void {
  let backoffMs = MIN_BACKOFF_MS;
  let timer: NodeJS.Timeout | undefined;
  let current: Socket | undefined;
  const dial = (): void => {
    const socket = connect(address);
    current = socket;
    socket.on("connect", () => {
      backoffMs = MIN_BACKOFF_MS;
      onSocket(socket);
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      timer = setTimeout(dial, backoffMs);
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
    });
  };
  dial();
  return () => {
    current?.removeAllListeners("close");
    current?.destroy();
    clearTimeout(timer);
  };
}
