import fc from "fast-check";
import { expect, test } from "vitest";
import { applyEvent, foldState } from "./conversation-state.ts";
import { ConversationEvent, type StoredEvent } from "./events.ts";

type Glob = (pattern: string, options: object) => Record<string, string>;
const files = (import.meta as unknown as { readonly glob: Glob }).glob("./__fixtures__/logs/*.jsonl", {
  query: "?raw",
  import: "default",
  eager: true,
});
const golden = Object.values(files).map((text) =>
  text
    .trimEnd()
    .split("\n")
    .map((row) => JSON.parse(row) as StoredEvent),
);
const first = golden[0]![0]!;
const later = golden.flat().flatMap(({ event }) => (event.type === "conversation.created" ? [] : [event]));

/** A log of any events in any order: a fold must take also what no run would write. */
const anyLog = fc
  .array(fc.constantFrom(...later), { maxLength: 60 })
  .map((events): StoredEvent[] => [
    first,
    ...events.map((event, index) => ({ seq: index + 1, at: first.at + index * 10, event })),
  ]);

test("folding at once and in any pieces gives the same state", () => {
  fc.assert(
    fc.property(anyLog, fc.array(fc.nat(60), { maxLength: 5 }), (log, cuts) => {
      const edges = [0, ...cuts.filter((cut) => cut < log.length).sort((left, right) => left - right), log.length];
      const pieces = edges.slice(1).map((edge, index) => log.slice(edges[index], edge));
      const inPieces = pieces.reduce<ReturnType<typeof foldState>>((state, piece) => foldState(piece, state), null);
      expect(inPieces).toEqual(foldState(log));
    }),
  );
});

test("a fold changes neither the state nor the events it is given, and counts every event", () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const before = structuredCloneOf(log);
      const state = foldState(log.slice(0, -1).length === 0 ? log : log.slice(0, -1));
      const kept = structuredCloneOf(state);
      const next = foldState(log);
      expect(log).toEqual(before);
      expect(state).toEqual(kept);
      expect(next).toMatchObject({ head: log.length - 1, updatedAt: log.at(-1)!.at, createdAt: first.at });
    }),
  );
});

test("every type of event is handled, with and without a run", () => {
  const types = new Set(golden.flat().map(({ event }) => event.type));
  expect([...types].sort()).toEqual(ConversationEvent.options.map((option) => option.shape.type.value).sort());
  const alone = foldState([first]);
  for (const event of later)
    expect(applyEvent(alone, { seq: 1, at: 5, event })).toMatchObject({ head: 1, updatedAt: 5 });
});

test("a gap, a repeat or a second beginning throws", () => {
  fc.assert(
    fc.property(anyLog, fc.constantFrom(...later), fc.integer({ min: -1, max: 100 }), (log, event, seq) => {
      fc.pre(seq !== log.length);
      expect(() => applyEvent(foldState(log), { seq, at: 0, event })).toThrow("gap or a repeat");
    }),
  );
  expect(() => foldState([first, first])).toThrow("begins twice");
  expect(() => foldState([first, { ...first, seq: 1 }])).toThrow("begins twice");
});

test("a log that does not begin with its creation throws", () => {
  for (const event of later) expect(() => foldState([{ seq: 0, at: 0, event }])).toThrow("does not begin");
  expect(() => foldState([{ ...first, seq: 1 }])).toThrow("not the first");
  expect(foldState([])).toBeNull();
});

const structuredCloneOf = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
