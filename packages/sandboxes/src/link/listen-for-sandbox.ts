import { timingSafeEqual } from "node:crypto";
import { rm, chmod, mkdir } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { AppError } from "@handrail/protocol/errors";

/** A host's socket that the sandboxd of one sandbox dials. */
export type SandboxListener = {
  /** The socket's path on the host. */
  readonly path: string;
  /** The latest connection that nobody took yet, or the next one. @throws the signal's reason when aborted */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  /** Ends the listening and removes the socket. */
  close(): Promise<void>;
};

/** The socket's name in its directory. */
export const LINK_SOCKET = "sandboxd.sock";

const MAX_PATH_BYTES = 107;
const KNOCK_MS = 2000;
const MAX_STRANGERS = 64;

/**
 * Makes a unix socket in a host directory. Mount the directory read-only into the sandbox: a socket that a sandbox can
 * replace would lead us anywhere. Programs in the sandbox reach the socket as sandboxd does, so with a `token`, which they
 * do not know, a connection counts only once it has said it.
 * @throws AppError `sandbox_failed` when the path is too long for a socket (unix(7): 107 bytes)
 */
export async function listenForSandbox(directory: string, token?: string): Promise<SandboxListener> {
  const path = join(directory, LINK_SOCKET);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new AppError("sandbox_failed", "The state directory's path is too long for a socket. Use a shorter one.", {
      path,
    });
  }
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await rm(path, { force: true });
  const queue = new SocketQueue();
  const door = token === undefined ? undefined : new Door(token, (socket) => queue.offer(socket));
  const server = createServer((socket) => (door === undefined ? queue.offer(socket) : door.knock(socket)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    path,
    connect: (signal) => queue.take(signal),
    close: async () => {
      queue.close();
      door?.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(path, { force: true });
    },
  };
}

/** Lets in connections that begin with the token. However many do not, one that does is heard at once. */
class Door {
  readonly #token: Buffer;
  readonly #admit: (socket: Socket) => void;
  readonly #strangers = new Set<Socket>();

  constructor(token: string, admit: (socket: Socket) => void) {
    this.#token = Buffer.from(token);
    this.#admit = admit;
  }

  knock(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), KNOCK_MS);
    const leave = (): void => {
      clearTimeout(timer);
      this.#strangers.delete(socket);
    };
    const onReadable = (): void => {
      const said = socket.read(this.#token.length) as Buffer | null;
      if (said === null) return;
      socket.off("readable", onReadable);
      socket.off("close", leave);
      leave();
      if (said.length === this.#token.length && timingSafeEqual(said, this.#token)) this.#admit(socket);
      else socket.destroy();
    };
    socket.on("error", () => socket.destroy());
    socket.on("close", leave);
    socket.on("readable", onReadable);
    this.#strangers.add(socket);
    const [oldest] = this.#strangers;
    if (this.#strangers.size > MAX_STRANGERS) oldest?.destroy();
  }

  close(): void {
    for (const socket of this.#strangers) socket.destroy();
  }
}

/** One dialler: of connections that wait only the latest is of use. */
class SocketQueue {
  #waiting: Socket | undefined;
  #taker: ((socket: Socket) => void) | undefined;
  readonly #all = new Set<Socket>();

  offer(socket: Socket): void {
    this.#all.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#all.delete(socket));
    const taker = this.#taker;
    this.#taker = undefined;
    if (taker !== undefined) {
      taker(socket);
      return;
    }
    this.#waiting?.destroy();
    this.#waiting = socket;
  }

  take(signal: AbortSignal): Promise<Socket> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined && !waiting.destroyed) return Promise.resolve(waiting);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#taker = undefined;
        reject(signal.reason);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#taker = (socket) => {
        signal.removeEventListener("abort", onAbort);
        resolve(socket);
      };
    });
  }

  close(): void {
    for (const socket of this.#all) socket.destroy();
  }
}
