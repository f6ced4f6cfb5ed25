import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "./server-process.ts";
import { openRawSocket, type RawSocket } from "./raw-socket.ts";

/** Sockets that watch one conversation, and how long after its append each saw each event. */
export type Watching = {
  readonly sockets: readonly RawSocket[];
  /** From the event's `at` to its frame, in milliseconds, of all sockets; `at` counts whole milliseconds. */
  readonly latencies: number[];
  close(): void;
};

const STAMP = /"seq":\d+,"at":(\d+)/g;
const wallMs = () => performance.timeOrigin + performance.now();

/** Opens `count` sockets on the conversation and waits until each has been told what there is. */
export async function watch(server: ServerProcess, conversationId: string, count: number): Promise<Watching> {
  const latencies: number[] = [];
  const onText = (text: string) => {
    if (!text.startsWith('{"type":"events"')) return;
    const now = wallMs();
    for (const [, at] of text.matchAll(STAMP)) latencies.push(now - Number(at));
  };
  const sockets: RawSocket[] = [];
  const { url, token } = server;
  for (let from = 0; from < count; from += 50) {
    const group = Array.from({ length: Math.min(50, count - from) }, () => openRawSocket({ url, token, onText }));
    sockets.push(...(await Promise.all(group)));
  }
  for (const socket of sockets) socket.send({ type: "subscribe", conversationId, after: -1 });
  for (let waited = 0; latencies.length < count && waited < 20_000; waited += 50) await sleep(50);
  if (latencies.length < count) throw new Error(`only ${latencies.length} of ${count} sockets were told of the log`);
  latencies.length = 0;
  return { sockets, latencies, close: () => sockets.forEach((socket) => socket.close()) };
}

/** Appends `count` small events, `everyMs` apart, and gives the latencies of all sockets once all have seen all. */
export async function latenciesOf(
  { server, conversationId, watching }: { server: ServerProcess; conversationId: string; watching: Watching },
  { count, everyMs }: { readonly count: number; readonly everyMs: number },
): Promise<number[]> {
  const { latencies, sockets } = watching;
  latencies.length = 0;
  for (let number = 0; number < count; number++) {
    const title = `Bench ${number} ${Math.round(performance.now())}`;
    await server.client.changeConversation({ params: { id: conversationId }, body: { title } });
    await sleep(everyMs);
  }
  const wanted = count * sockets.length;
  for (let waited = 0; latencies.length < wanted && waited < 10_000; waited += 50) await sleep(50);
  if (latencies.length < wanted) throw new Error(`${wanted - latencies.length} of ${wanted} events were not seen`);
  return [...latencies];
}
