import type { Client } from "@handrail/client/create-client";
import type { ConversationEvent, EventOf, EventType, StoredEvent } from "@handrail/protocol/events";
import type { BackendName, WorkspaceSource } from "@handrail/protocol/sources";

type Start = {
  readonly backend: BackendName;
  readonly task: string;
  readonly source?: WorkspaceSource;
  readonly model?: string;
};

/** A new conversation whose first run has begun. Gives its id. */
export async function startConversation(client: Client, start: Start): Promise<string> {
  const { id } = await client.createConversation({
    body: {
      source: start.source ?? { type: "empty" },
      sandbox: { backend: start.backend, network: { type: "none" } },
      content: [{ type: "text", text: start.task }],
      ...(start.model === undefined ? {} : { model: start.model }),
    },
  });
  return id;
}

/** The whole log, checked for gaps and repeats. */
export async function readLog(client: Client, id: string): Promise<readonly StoredEvent[]> {
  const log: StoredEvent[] = [];
  for (;;) {
    const { events, head } = await client.events({
      params: { id },
      query: { after: log.at(-1)?.seq ?? -1, limit: 5000 },
    });
    log.push(...events);
    if ((log.at(-1)?.seq ?? -1) >= head) break;
  }
  const wrong = log.findIndex((stored, index) => stored.seq !== index);
  if (wrong >= 0) throw new Error(`The log has a gap or repeat at ${wrong}`);
  return log;
}

export function eventsOf<Type extends EventType>(log: readonly StoredEvent[], type: Type): EventOf<Type>[] {
  return log.map(({ event }): ConversationEvent => event).filter((event) => event.type === type) as EventOf<Type>[];
}

/** Waits until the run has ended; gives its outcome and the log. */
export async function runEnd(client: Client, id: string, timeoutMs = 120_000) {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const summary = await client.conversation({ params: { id } });
    if (summary.state !== "working") {
      const log = await readLog(client, id);
      const end = eventsOf(log, "run.ended").at(-1);
      if (end !== undefined) return { outcome: end.outcome, detail: end.detail, log };
    }
    if (Date.now() > until) {
      const tail = (await readLog(client, id)).slice(-5).map(({ event }) => JSON.stringify(event).slice(0, 300));
      throw new Error(`The run has not ended after ${timeoutMs} ms. Last events:\n${tail.join("\n")}`);
    }
    await sleep(50);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** A text file of the workspace. */
export async function readFileText(client: Client, id: string, path: string): Promise<string> {
  const { data } = await client.file({ params: { id }, query: { path } });
  return Buffer.from(data, "base64").toString();
}
