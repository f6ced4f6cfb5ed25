import { createJournal, type Journal } from "@handrail/core/journal";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import { NO_USAGE } from "@handrail/protocol/limits";
import type { BackendName } from "@handrail/protocol/sources";

export const systemClock = {
  now: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

/** The first event of a conversation without limits on an empty workspace. */
export function conversationCreated(backend: BackendName, conversationId: string): EventOf<"conversation.created"> {
  return {
    type: "conversation.created",
    conversationId,
    ownerId: "local",
    teamId: null,
    title: "Bench",
    source: { type: "empty" },
    sandbox: { backend, network: { type: "none" } },
    model: "bench",
    limits: {},
    runLimits: {},
  };
}

/** A new, empty conversation without limits, but for the changes. */
export function newConversation(
  store: LogStore,
  backend: BackendName = "process",
  changes: Partial<EventOf<"conversation.created">> = {},
): Promise<Journal> {
  const created = conversationCreated(backend, newId("c", Date.now()));
  return createJournal(store, systemClock, { ...created, ...changes });
}

const TEXT = "The parser drops the last field when a line ends in a comma. I will read its tests, then change it. ";

/** What one step with one command writes to a log: 4 events, about 1.4 kB. */
export function stepEvents(runId: string, number: number): readonly ConversationEvent[] {
  const now = Date.now();
  const stepId = newId("s", now);
  const callId = newId("k", now);
  const command = JSON.stringify({ command: `npm test -- --case ${number}` });
  const call = { type: "call", callId, providerId: `call_${number}`, tool: "terminal", arguments: command } as const;
  return [
    { type: "step.started", stepId, runId, model: "bench" },
    {
      type: "step.ended",
      stepId,
      finish: "calls",
      content: [{ type: "text", text: TEXT.repeat(2) }, call],
      usage: { ...NO_USAGE, inputTokens: 1000, outputTokens: 50 },
      costUsd: 0.001,
      priced: true,
      latencyMs: 900,
      model: "bench",
    },
    { type: "call.started", callId, stepId, tool: "terminal" },
    {
      type: "call.ended",
      callId,
      outcome: "ok",
      content: [{ type: "text", text: `${`ok ${number} ${TEXT}\n`.repeat(4)}[exit 0, in /workspace]` }],
      data: { exitCode: 0, running: false, terminal: "main", outputBytes: 440 },
      durationMs: 120,
    },
  ];
}

/** A conversation whose one run has ended, with at least `events` events in its log. Gives its id. */
export async function writeLongLog(store: LogStore, events: number): Promise<string> {
  const journal = await newConversation(store);
  const now = Date.now();
  const [runId, messageId] = [newId("r", now), newId("m", now)];
  const content = [{ type: "text" as const, text: "Make the tests pass." }];
  await journal.commit(() => [
    { type: "message.added", messageId, userId: "local", content },
    { type: "run.started", runId, messageId, limits: {} },
  ]);
  for (let number = 0; journal.state.head < events - 2; number += 25) {
    const steps = Array.from({ length: 25 }, (_, index) => stepEvents(runId, number + index));
    await journal.commit(() => steps.flat());
  }
  await journal.commit(() => [{ type: "run.ended", runId, outcome: "done", detail: "All tests pass." }]);
  return journal.state.id;
}
