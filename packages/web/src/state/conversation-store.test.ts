import type { ConversationEvent, StoredEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { conversationStore } from "./conversation-store.ts";

const created: ConversationEvent = {
  type: "conversation.created",
  conversationId: "c_1",
  ownerId: "u_1",
  teamId: null,
  title: "One",
  source: { type: "empty" },
  sandbox: { backend: "docker", network: { type: "none" } },
  model: "m",
  limits: {},
  runLimits: {},
};
const renamed = (seq: number, title: string): StoredEvent => ({
  seq,
  at: seq,
  event: { type: "conversation.renamed", title, by: "user" },
});
const first: StoredEvent = { seq: 0, at: 0, event: created };

function open() {
  const flushes: { readonly flush: () => void; readonly replaying: boolean }[] = [];
  const store = conversationStore((flush, replaying) => flushes.push({ flush, replaying }));
  return { store, flushes };
}

test("everything received before a flush is folded and told of at once", () => {
  const { store, flushes } = open();
  let told = 0;
  store.subscribe(() => told++);
  store.receiveEvents([first]);
  store.receiveEvents([renamed(1, "Two")]);
  store.receiveDelta({ type: "progress.delta", text: "Pulling image" });
  expect([flushes.length, told, store.view().state]).toEqual([1, 0, null]);
  flushes[0]?.flush();
  const { state, events, live } = store.view();
  expect([told, state?.title, events.length, live.progress]).toEqual([1, "Two", 2, "Pulling image"]);
});

test("events that are known already are passed over", () => {
  const { store, flushes } = open();
  store.receiveEvents([first, renamed(1, "Two")]);
  store.receiveEvents([renamed(1, "Two"), renamed(2, "Three")]);
  flushes[0]?.flush();
  expect(store.view().events.map((event) => event.seq)).toEqual([0, 1, 2]);
  store.receiveEvents([renamed(2, "Three")]);
  flushes[1]?.flush();
  expect(store.view().state?.head).toBe(2);
});

test("a long batch is a replay, and is gathered for longer", () => {
  const { store, flushes } = open();
  store.receiveEvents([first, ...Array.from({ length: 120 }, (_, index) => renamed(index + 1, "x"))]);
  expect(flushes.map((one) => one.replaying)).toEqual([true]);
});

test("fragments are forgotten when the connection is lost; the log stays", () => {
  const { store, flushes } = open();
  store.receiveEvents([first]);
  store.receiveDelta({ type: "progress.delta", text: "Pulling image" });
  flushes[0]?.flush();
  store.dropFragments();
  expect([store.view().live.progress, store.view().state?.title]).toEqual(["", "One"]);
});
