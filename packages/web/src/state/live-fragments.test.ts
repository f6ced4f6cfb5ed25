import type { Delta } from "@handrail/protocol/deltas";
import type { ConversationEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { applyDelta, NO_FRAGMENTS, settleFragments } from "./live-fragments.ts";

const apply = (...deltas: Delta[]) => deltas.reduce(applyDelta, NO_FRAGMENTS);
const text = (offset: number, fragment: string, stepId = "s"): Delta => ({
  type: "text.delta",
  stepId,
  offset,
  text: fragment,
});

test("fragments are joined, repeats and overlaps are dropped", () => {
  const live = apply(text(0, "abc"), text(0, "abc"), text(2, "cd"), text(4, "e"));
  expect(live.text).toEqual({ text: "abcde", end: 5, cut: false });
});

test("after a gap the text goes on from there, and says that it is cut", () => {
  expect(apply(text(0, "abc"), text(10, "xyz")).text).toEqual({ text: "xyz", end: 13, cut: true });
});

test("another step, or an attempt given up, starts anew", () => {
  expect(apply(text(0, "abc"), text(0, "new", "s2")).text.text).toBe("new");
  expect(apply(text(0, "abc"), { type: "step.reset", stepId: "s" }).text.text).toBe("");
});

test("output counts in bytes, not in characters", () => {
  const output = (offset: number, fragment: string): Delta => ({
    type: "output.delta",
    callId: "k",
    offset,
    text: fragment,
  });
  expect(apply(output(0, "é"), output(2, "b")).outputs.get("k")).toEqual({ text: "éb", end: 3, cut: false });
});

test("arguments gather by call", () => {
  const part = (callId: string, offset: number, fragment: string): Delta => ({
    type: "arguments.delta",
    stepId: "s",
    callId,
    tool: "read",
    offset,
    text: fragment,
  });
  const live = apply(part("a", 0, '{"p'), part("b", 0, "{}"), part("a", 3, 'ath"'));
  expect(live.calls.map((call) => [call.callId, call.arguments.text])).toEqual([
    ["a", '{"path"'],
    ["b", "{}"],
  ]);
});

test("what an event holds whole is no longer a fragment", () => {
  const live = apply(text(0, "abc"), { type: "output.delta", callId: "k", offset: 0, text: "o" });
  const ended: ConversationEvent = {
    type: "call.ended",
    callId: "k",
    outcome: "ok",
    content: [],
    data: {},
    durationMs: 1,
  };
  const afterCall = settleFragments(live, [{ seq: 1, at: 1, event: ended }]);
  expect([afterCall.outputs.size, afterCall.text.text]).toEqual([0, "abc"]);
  const runEnded = { type: "run.ended", runId: "r", outcome: "done", detail: "" } as const;
  expect(settleFragments(live, [{ seq: 1, at: 1, event: runEnded }])).toEqual(NO_FRAGMENTS);
});

test("ports stay when a run ends, and that there are none is told too", () => {
  const ports = [{ port: 8123, program: "python3" }];
  const ended: ConversationEvent = { type: "run.ended", runId: "r", outcome: "done", detail: "" };
  const settled = settleFragments(apply(text(0, "abc"), { type: "ports.delta", ports }), [
    { seq: 1, at: 1, event: ended },
  ]);
  expect(settled).toEqual({ ...NO_FRAGMENTS, ports });
  expect(applyDelta(settled, { type: "ports.delta", ports: [] }).ports).toEqual([]);
});
