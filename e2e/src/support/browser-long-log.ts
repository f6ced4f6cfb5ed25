import path from "node:path";
import { createJournal } from "@handrail/core/journal";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import type { ConversationEvent } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import { NO_USAGE } from "@handrail/protocol/limits";

const clock = {
  now: () => Date.now(),
  sleep: () => Promise.reject(new Error("This clock does not wait")),
};

type LongLog = { readonly events: number; readonly firstMessage: string; readonly lastWords: string };

/**
 * Writes a conversation with one long run that has ended into a state directory that no server uses yet. Gives its id;
 * the log has at least so many events.
 */
export async function writeLongConversation(home: string, { events, firstMessage, lastWords }: LongLog) {
  const store = await sqliteLogStore({ file: path.join(home, "handrail.sqlite") });
  const now = Date.now();
  const [conversationId, runId, messageId] = [newId("c", now), newId("r", now), newId("m", now)];
  const journal = await createJournal(store, clock, {
    type: "conversation.created",
    conversationId,
    ownerId: "local",
    teamId: null,
    title: "A long one",
    source: { type: "empty" },
    sandbox: { backend: "process", network: { type: "none" } },
    model: MODEL,
    limits: {},
    runLimits: {},
  });
  await journal.commit(() => [
    { type: "message.added", messageId, userId: "local", content: [{ type: "text", text: firstMessage }] },
    { type: "run.started", runId, messageId, limits: {} },
  ]);
  for (let number = 0; journal.state.head < events - 2; number += 50) {
    await journal.commit(() => Array.from({ length: 50 }, (_, index) => stepEvents(runId, number + index)).flat());
  }
  await journal.commit(() => [
    ...lastStep(runId, lastWords),
    { type: "run.ended", runId, outcome: "done", detail: lastWords },
  ]);
  await store.close();
  return conversationId;
}

const MODEL = "default";
const SPENT = {
  usage: { ...NO_USAGE, inputTokens: 1000, outputTokens: 50 },
  costUsd: 0.001,
  priced: true,
  latencyMs: 900,
  model: MODEL,
};

function lastStep(runId: string, text: string): readonly ConversationEvent[] {
  const stepId = newId("s", Date.now());
  return [
    { type: "step.started", stepId, runId, model: MODEL },
    { type: "step.ended", stepId, finish: "stop", content: [{ type: "text", text }], ...SPENT },
  ];
}

function stepEvents(runId: string, number: number): readonly ConversationEvent[] {
  const [stepId, callId] = [newId("s", Date.now()), newId("k", Date.now())];
  const call = { callId, tool: "terminal" } as const;
  const command = JSON.stringify({ command: `make test CASE=${number}` });
  return [
    { type: "step.started", stepId, runId, model: MODEL },
    {
      type: "step.ended",
      stepId,
      finish: "calls",
      content: [
        { type: "text", text: `Step ${number}: the parser drops the last field when a line ends in a comma.` },
        { type: "call", ...call, providerId: `call_${number}`, arguments: command },
      ],
      ...SPENT,
    },
    { type: "call.started", ...call, stepId },
    {
      type: "call.ended",
      callId,
      outcome: "ok",
      content: [{ type: "text", text: `case ${number} ok\n[exit 0, in /workspace]` }],
      data: { exitCode: 0, running: false, terminal: "main", outputBytes: 20 },
      durationMs: 120,
    },
  ];
}
