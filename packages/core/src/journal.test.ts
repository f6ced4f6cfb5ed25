import { foldState } from "@handrail/protocol/conversation-state";
import type { EventOf } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { createJournal, openJournal } from "./journal.ts";
import { SAMPLE_ID, sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { testClock } from "./testing/test-clock.ts";

const created = sampleCreated();
const renamed = (title: string) => ({ type: "conversation.renamed", title, by: "user" }) as const;

test("two journals of one conversation never write the same number, and both end with the same state", async () => {
  const store = memoryLogStore();
  const left = await createJournal(store, testClock(), created);
  const right = await openJournal(store, testClock(), SAMPLE_ID);

  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? left : right).commit((state) => [renamed(`${state.head}`)]),
    ),
  );
  await left.catchUp();
  await right.catchUp();

  const log = await store.read(SAMPLE_ID, -1, 1000);
  expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, index) => index));
  expect(left.state).toEqual(right.state);
  expect(left.state).toEqual(foldState(log));
  // Each title is the head on which it was decided: nobody decided on a state that was no longer so.
  const titles = log.slice(1).map(({ event }) => (event as EventOf<"conversation.renamed">).title);
  expect(titles).toEqual(log.slice(1).map(({ seq }) => String(seq - 1)));
});

test("a listener gets every event once and in order, whoever wrote it", async () => {
  const store = memoryLogStore();
  const mine = await createJournal(store, testClock(), created);
  const other = await openJournal(store, testClock(), SAMPLE_ID);
  const heard: number[] = [];
  mine.onEvents((events) => void heard.push(...events.map(({ seq }) => seq)));

  await other.commit(() => [renamed("a"), renamed("b")]);
  await mine.commit(() => [renamed("c")]);
  await other.commit(() => [renamed("d")]);
  await mine.catchUp();

  expect(heard).toEqual([1, 2, 3, 4]);
});

test("a decision that gives nothing writes nothing", async () => {
  const journal = await createJournal(memoryLogStore(), testClock(), created);
  expect(await journal.commit(() => [])).toEqual([]);
  expect(journal.state.head).toBe(0);
});

test("a decision that throws is its caller's alone; the next commit goes through", async () => {
  const journal = await createJournal(memoryLogStore(), testClock(), created);
  const failing = journal.commit(() => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await journal.commit(() => [renamed("after")])).toHaveLength(1);
});

test("the times of a log never go back, even if the clock does", async () => {
  const store = memoryLogStore();
  const journal = await createJournal(store, testClock({ startMs: 2000 }), created);
  const late = await openJournal(store, testClock({ startMs: 1000 }), journal.state.id);
  await late.commit(() => [renamed("a")]);
  expect((await store.read(SAMPLE_ID, -1, 10)).map(({ at }) => at)).toEqual([2000, 2000]);
});

test("an unknown conversation is not found", async () => {
  await expect(openJournal(memoryLogStore(), testClock(), SAMPLE_ID)).rejects.toMatchObject({
    code: "conversation_not_found",
  });
});
