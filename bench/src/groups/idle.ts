import { withDirectory } from "../parts/free-directory.ts";
import {
  EMPTY_CONVERSATION,
  modelEnvironment,
  type ServerProcess,
  startServerProcess,
} from "../parts/server-process.ts";
import type { Group, Row } from "../row.ts";

const CONVERSATIONS = 2000;
const AT_ONCE = 8;
const KILOBYTE = 1024;

/** Memory of the server for each conversation that was made, opened and left alone. */
export const idle: Group = {
  name: "idle",
  measures: "memory of the server for each idle conversation",
  run: () =>
    withDirectory(async (home) => {
      const env = modelEnvironment("http://127.0.0.1:9/v1");
      const server = await startServerProcess({ home, env, askable: true });
      try {
        return [await idleConversations(server)];
      } finally {
        await server.stop();
      }
    }),
};

async function idleConversations(server: ServerProcess): Promise<Row> {
  await makeConversations(server, 200);
  const before = await server.memoryAfterGc();
  await makeConversations(server, CONVERSATIONS);
  const after = await server.memoryAfterGc();
  const each = (bytes: number) => bytes / CONVERSATIONS / KILOBYTE;
  return {
    name: `idle conversation on the server, of ${CONVERSATIONS}`,
    unit: "kB",
    p50: Math.max(0, each(after.rss - before.rss)),
    target: { p50AtMost: 50 },
    note: `resident memory after a garbage collection; of it JavaScript heap ${each(after.heapUsed - before.heapUsed).toFixed(2)} kB`,
  };
}

/** Makes conversations, changes each one, and reads its events, so that each has been open. */
async function makeConversations({ client }: ServerProcess, count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const { id } = await client.createConversation({ body: EMPTY_CONVERSATION });
      await client.changeConversation({ params: { id }, body: { title: `Idle ${left}` } });
      await client.events({ params: { id } });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
