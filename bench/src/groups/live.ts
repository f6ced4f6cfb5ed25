import { join } from "node:path";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import { latenciesOf, watch } from "../parts/event-latency.ts";
import { withDirectory } from "../parts/free-directory.ts";
import { loopbackTrips } from "../parts/loopback.ts";
import { openRawSocket } from "../parts/raw-socket.ts";
import { writeLongLog } from "../parts/sample-events.ts";
import {
  EMPTY_CONVERSATION,
  modelEnvironment,
  type ServerProcess,
  startServerProcess,
} from "../parts/server-process.ts";
import type { Group, Row } from "../row.ts";
import { median, middleOf, repeat } from "../samples.ts";

const TIMES = { times: 5, warmUp: 1 };
const WATCHERS = 1000;
const LONG_LOG = 20_000;

/** An event on its way from the append to the sockets that watch its conversation. */
export const live: Group = {
  name: "live",
  measures: "an event appended to seen by a socket, by 1,000 sockets, and by 999 beside one that does not read",
  run: () =>
    withDirectory(async (home) => {
      const store = await sqliteLogStore({ file: join(home, "handrail.sqlite") });
      const longLog = await writeLongLog(store, LONG_LOG);
      await store.close();
      const server = await startServerProcess({ home, env: modelEnvironment("http://127.0.0.1:9/v1") });
      try {
        return [await oneWatcher(server), ...(await manyWatchers(server, longLog))];
      } finally {
        await server.stop();
      }
    }),
};

async function oneWatcher(server: ServerProcess): Promise<Row> {
  const { id: conversationId } = await server.client.createConversation({ body: EMPTY_CONVERSATION });
  const watching = await watch(server, conversationId, 1);
  const place = { server, conversationId, watching };
  const samples = await repeat(TIMES, () => latenciesOf(place, { count: 100, everyMs: 5 }));
  watching.close();
  return {
    name: "event appended to seen by a WebSocket",
    unit: "ms",
    ...middleOf(samples),
    target: { p50AtMost: 10 },
    beside: [{ name: "loopback TCP round trip", p50: median(await loopbackTrips(500)) }],
    note: "counted from the event's own time, before it is written to the disk; that time has whole milliseconds",
  };
}

async function manyWatchers(server: ServerProcess, longLog: string): Promise<readonly Row[]> {
  const { id: conversationId } = await server.client.createConversation({ body: EMPTY_CONVERSATION });
  const watching = await watch(server, conversationId, WATCHERS);
  const place = { server, conversationId, watching };
  const few = { count: 20, everyMs: 150 };
  const all = middleOf(await repeat(TIMES, () => latenciesOf(place, few)));
  const slow = await openRawSocket({ url: server.url, token: server.token, onText: () => undefined });
  slow.pause();
  slow.send({ type: "subscribe", conversationId: longLog, after: -1 });
  slow.send({ type: "subscribe", conversationId, after: -1 });
  const beside = middleOf(await repeat(TIMES, () => latenciesOf(place, few)));
  slow.close();
  watching.close();
  return [
    {
      name: "seen by each of 1,000 sockets",
      unit: "ms",
      ...all,
      note: "the 1,000 readers share the other core; each event is two frames for each (event and summary)",
    },
    {
      name: "seen by each of 1,000 sockets, with one more that does not read",
      unit: "ms",
      ...beside,
      target: { p99AtMost: Math.max(all.p99 * 1.25, all.p99 + 5) },
      beside: [{ name: "without it", ...all }],
      note: "the slow one has 20,000 events of another conversation waiting as well",
    },
  ];
}
