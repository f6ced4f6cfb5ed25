import { setTimeout as delay } from "node:timers/promises";
import type { Delta } from "@handrail/protocol/deltas";
import { AppError } from "@handrail/protocol/errors";
import type { EventOf, StoredEvent } from "@handrail/protocol/events";
import type { Reached } from "./reach-server.ts";

export type Followed = { readonly conversationId: string; readonly after: number };

/** Where the events of a followed run go. */
export type Listener = { event(stored: StoredEvent): void; delta(delta: Delta): void };

const OFFLINE_MAX_MS = 30_000;
const STOP_WITHIN_MS = 20_000;

/**
 * Tells every event after `after` until a run ends, and gives that end. When the signal aborts, the run is stopped and
 * its end awaited for up to 20 seconds.
 * @throws AppError `server_unreachable` when the server stays away for 30 seconds; what the server refuses with
 */
export async function followRun(
  server: Reached,
  { conversationId, after }: Followed,
  listener: Listener,
  signal: AbortSignal,
): Promise<EventOf<"run.ended">> {
  const { promise, resolve, reject } = Promise.withResolvers<EventOf<"run.ended">>();
  /** What is recorded after the end, such as a last checkpoint, is not told. */
  let isOver = false;
  const watch = awayWatch(() => reject(gone(conversationId)));
  const socket = server.openSocket({ onState: (state) => watch(state.status === "connected"), onError: reject });
  socket.subscribe(conversationId, after, {
    onError: reject,
    onDelta: (delta) => listener.delta(delta),
    onEvents(events) {
      for (const stored of isOver ? [] : events) {
        listener.event(stored);
        if (stored.event.type !== "run.ended") continue;
        isOver = true;
        return resolve(stored.event);
      }
    },
  });
  const interrupted = onceAborted(signal, () => stopRun(server, conversationId));
  try {
    return await Promise.race([promise, interrupted]);
  } finally {
    watch(true);
    socket.close();
  }
}

function awayWatch(onGone: () => void): (connected: boolean) => void {
  let timer: NodeJS.Timeout | undefined;
  return (connected) => {
    if (connected) {
      clearTimeout(timer);
      timer = undefined;
    } else timer ??= setTimeout(onGone, OFFLINE_MAX_MS);
  };
}

/** Rejects when the run has not ended in time after the signal; never resolves. */
async function onceAborted(signal: AbortSignal, stop: () => Promise<unknown>): Promise<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await stop();
  await delay(STOP_WITHIN_MS, undefined, { ref: false });
  throw new AppError("server_unreachable", "The run did not stop within 20 seconds.");
}

async function stopRun(server: Reached, conversationId: string): Promise<void> {
  await server.client.stopRun({ params: { id: conversationId } }).catch((thrown: unknown) => {
    // It ended by itself at the same instant.
    if (!(thrown instanceof AppError) || thrown.code !== "run_inactive") throw thrown;
  });
}

const gone = (id: string) =>
  new AppError(
    "server_unreachable",
    `The server went away and did not come back. Nothing is lost: go on with "handrail resume ${id}".`,
  );
