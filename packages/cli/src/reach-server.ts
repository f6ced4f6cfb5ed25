import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient } from "@handrail/client/create-client";
import { openSocket, type Socket, type SocketOptions } from "@handrail/client/open-socket";
import type { Context } from "./context.ts";
import { type OwnServer, type OwnServerStart, startOwnServer } from "./own-server.ts";
import { isHeld, runningServer, type ServerFile } from "./running-server.ts";

/** A server that commands talk to. `own`: it was started for this command. */
export type Reached = {
  readonly client: Client;
  readonly url: string;
  readonly own: boolean;
  openSocket(options: Omit<SocketOptions, "baseUrl" | "token">): Socket;
};

/**
 * Runs `use` with the server of the state directory: the one that runs, or else one started for this and stopped
 * afterwards. An interrupt ends the start; after it `use` answers to interrupts itself.
 * @throws AppError `server_unreachable` when none can be started; the signal's reason
 */
export async function withServer<Result>(context: Context, use: (server: Reached) => Promise<Result>): Promise<Result> {
  const running = await runningServer(context.home);
  if (running !== undefined) return use(reached(running, false));
  const own = await startOrJoin({
    home: context.home,
    signal: context.interrupts.signal,
    options: context.serverOptions ?? [],
  });
  if ("token" in own) return use(reached(own, false));
  try {
    return await use(reached(own.server, true));
  } finally {
    await own.stop();
  }
}

/** The same for what may be left at any moment: the first interrupt ends it. @throws the signal's reason */
export function askServer<Result>(context: Context, use: (server: Reached) => Promise<Result>): Promise<Result> {
  const { signal } = context.interrupts;
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  // Nobody waits for it before the server is there, or after the answer is.
  interrupted.catch(() => {});
  signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  return withServer(context, (server) => Promise.race([use(server), interrupted]));
}

/** The server that runs, if one does. */
export async function reachRunning(home: string): Promise<Reached | undefined> {
  const running = await runningServer(home);
  return running && reached(running, false);
}

const JOIN_WITHIN_MS = 30_000;

/**
 * A server of one's own, or the one that holds the state directory: while another command's server starts or stops,
 * neither can be had, so this tries again for up to 30 seconds.
 */
async function startOrJoin(start: OwnServerStart): Promise<OwnServer | ServerFile> {
  const { home, signal } = start;
  for (const deadline = Date.now() + JOIN_WITHIN_MS; ;) {
    try {
      return await startOwnServer(start);
    } catch (thrown) {
      signal.throwIfAborted();
      const other = await runningServer(home);
      if (other !== undefined) return other;
      if (!isHeld(home) || Date.now() > deadline) throw thrown;
      await delay(200, undefined, { signal });
    }
  }
}

function reached({ url, token }: ServerFile, own: boolean): Reached {
  const baseUrl = new URL(url).origin;
  return {
    client: createClient({ baseUrl, token }),
    url: baseUrl,
    own,
    openSocket: (options) => openSocket({ ...options, baseUrl, token }),
  };
}
