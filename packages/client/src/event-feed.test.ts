import type { StoredEvent } from "@handrail/protocol/events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type EventFeed, receiveEvents } from "./event-feed.ts";

const event = (seq: number): StoredEvent => ({ seq, at: seq, event: { type: "conversation.archived" } });
const events = (...seqs: number[]) => seqs.map(event);

test("repeats are dropped and what is new is handed on in order", () => {
  expect(receiveEvents({ last: 1, resyncing: false }, events(0, 1, 2, 2, 3))).toEqual({
    feed: { last: 3, resyncing: false },
    events: events(2, 3),
    resync: false,
  });
});

test("a gap asks for a new replay once, and what comes before that replay is dropped", () => {
  const gap = receiveEvents({ last: 0, resyncing: false }, events(1, 3));
  expect(gap).toEqual({ feed: { last: 1, resyncing: true }, events: events(1), resync: true });
  const stale = receiveEvents(gap.feed, events(4));
  expect(stale).toEqual({ feed: { last: 1, resyncing: true }, events: [], resync: false });
  const replay = receiveEvents(stale.feed, events(2, 3, 4));
  expect(replay).toEqual({ feed: { last: 4, resyncing: false }, events: events(2, 3, 4), resync: false });
});

test("whatever is dropped, repeated or reordered, each event is handed on once and in order", () => {
  const frames = fc.array(fc.array(fc.nat(30), { maxLength: 6 }), { maxLength: 40 });
  fc.assert(
    fc.property(frames, fc.integer({ min: -1, max: 5 }), (mess, after) => {
      let feed: EventFeed = { last: after, resyncing: false };
      const got: number[] = [];
      const take = (seqs: number[]) => {
        const before = feed;
        const received = receiveEvents(feed, events(...seqs));
        feed = received.feed;
        got.push(...received.events.map(({ seq }) => seq));
        const missing = seqs.some((seq) => seq > feed.last);
        expect(feed.resyncing).toBe(missing || (before.resyncing && received.events.length === 0));
      };
      for (const seqs of mess) take(seqs);
      // The server's honest replay, as a new subscription after `feed.last` gives it.
      take(Array.from({ length: 31 }, (_, seq) => seq).filter((seq) => seq > feed.last));
      expect(got).toEqual(Array.from({ length: 30 - after }, (_, index) => after + 1 + index));
    }),
  );
});
