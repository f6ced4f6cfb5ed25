import type { ConversationEvent } from "@handrail/protocol/events";
import { NO_USAGE } from "@handrail/protocol/limits";
import { applyTranscript, NO_TRANSCRIPT } from "@handrail/protocol/transcript";
import { expect, test } from "vitest";
import { nextCallRow } from "./next-call-row.ts";
import { rowsOf } from "./transcript-rows.ts";

type Said = { readonly text?: string; readonly calls?: readonly (readonly [tool: string, exitCode?: number])[] };

let calls = 0;
function step({ text = "", calls: asked = [] }: Said): ConversationEvent[] {
  const ids = asked.map(() => `k${calls++}`);
  return [
    { type: "step.started", stepId: "s", runId: "r", model: "m" },
    {
      type: "step.ended",
      stepId: "s",
      finish: "calls",
      content: [
        { type: "text", text },
        ...asked.map(([tool], index) => ({
          type: "call" as const,
          callId: ids[index]!,
          providerId: "p",
          tool,
          arguments: "{}",
        })),
      ],
      usage: NO_USAGE,
      costUsd: 0,
      priced: true,
      latencyMs: 1,
      model: "m",
    },
    ...asked.flatMap(([tool, exitCode], index): ConversationEvent[] => [
      { type: "call.started", callId: ids[index]!, stepId: "s", tool },
      {
        type: "call.ended",
        callId: ids[index]!,
        outcome: "ok",
        content: [],
        data: exitCode === undefined ? {} : { exitCode },
        durationMs: 1,
      },
    ]),
  ];
}
const rows = (...events: ConversationEvent[]) =>
  rowsOf(
    applyTranscript(
      NO_TRANSCRIPT,
      events.map((event, seq) => ({ seq, at: seq, event })),
    ).items,
  );
const kinds = (...events: ConversationEvent[]) =>
  rows(...events).map((row) => (row.kind === "calls" ? `calls ${row.calls.length}` : row.kind));

test("reads and searches next to each other fold into one row, over steps without text", () => {
  const events = [
    ...step({ text: "look", calls: [["read"], ["search"]] }),
    ...step({ calls: [["read"]] }),
    ...step({ calls: [["terminal", 0]] }),
    ...step({ calls: [["read"]] }),
    ...step({ text: "and", calls: [["read"]] }),
  ];
  expect(kinds(...events)).toEqual(["text", "calls 3", "call", "call", "text", "call"]);
});

test("a fold keeps the key of its first call while it grows", () => {
  const [first] = rows(...step({ calls: [["read"]] }));
  const [grown] = rows(...step({ calls: [["read"]] }), ...step({ calls: [["read"]] }));
  expect(grown?.key).toBe(first?.key);
});

test("failed attempts come before what the step said, an odd end after it", () => {
  const [started, ended] = step({ text: "half" });
  const retried: ConversationEvent = {
    type: "step.retried",
    stepId: "s",
    attempt: 1,
    maxAttempts: 5,
    delayMs: 1,
    errorCode: "model_timeout",
    detail: "",
  };
  expect(kinds(started!, retried, { ...ended, finish: "length" } as ConversationEvent)).toEqual([
    "retries",
    "text",
    "step",
  ]);
});

test("j and k go from call to call, and begin at the last", () => {
  const all = rows(...step({ text: "a", calls: [["terminal"]] }), ...step({ text: "b", calls: [["terminal"]] }));
  expect(nextCallRow(all, null, 1)).toBe(3);
  expect(nextCallRow(all, all[3]!.key, -1)).toBe(1);
  expect(nextCallRow(all, all[1]!.key, -1)).toBeNull();
  expect(nextCallRow([], null, 1)).toBeNull();
});
