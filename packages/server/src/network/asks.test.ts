import { createJournal } from "@handrail/core/journal";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import type { ConversationEvent } from "@handrail/protocol/events";
import type { NetworkRule } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { type Asks, askUsers, type RefusedRequest, type UserAnswer } from "./asks.ts";
import type { NewRule } from "./stored-rules.ts";

const NPM: NetworkRule = { type: "allow", presets: ["npm"], hosts: [] };
const HOST: RefusedRequest = { host: "a.test", port: 443, method: "CONNECT", reason: "host_not_allowed" };
const never = new AbortController().signal;

type Answer = (id: string, askId: string, said: Omit<UserAnswer, "teams">) => Promise<void>;

/** With the answers of somebody who is in one team. */
const answering = (asks: Asks): Pick<Asks, "ask"> & { answer: Answer } => ({
  ask: (...asked) => asks.ask(...asked),
  answer: (id, askId, said) => asks.answer(id, askId, { ...said, teams: ["core"] }),
});

async function setUp({ attended = true, teamId = null as string | null } = {}) {
  const store = memoryLogStore();
  const clock = testClock();
  const source = { type: "git", url: "https://git.test/me/app.git" } as const;
  const journal = await createJournal(
    store,
    clock,
    sampleCreated({ sandbox: { backend: "process", network: NPM }, source, teamId }),
  );
  const stored: NewRule[] = [];
  let ids = 0;
  const parts = {
    journal: async () => journal,
    storedRules: {
      async add(rule: NewRule) {
        stored.push(rule);
        return { ruleId: "w", scope: rule.scope, presets: [], hosts: [], requests: [], createdAt: 0 };
      },
    },
    attended: () => attended,
    holdMs: 60_000,
    clock,
    newId: () => `n_${ids++}`,
  };
  const log = async (): Promise<ConversationEvent[]> => (await store.read(SAMPLE_ID, 0, 100)).map(({ event }) => event);
  return { asks: answering(askUsers(parts)), parts, journal, clock, stored, log };
}

const asked = (askId: string, request = HOST) => ({ type: "network.asked", askId, ...request });

test("a held request goes on once the user allows it, and those for the same host join the ask", async () => {
  const { asks, journal, log } = await setUp();
  const outcomes = [asks.ask(SAMPLE_ID, HOST, never), asks.ask(SAMPLE_ID, { ...HOST, method: "GET" }, never)];
  await expect.poll(() => journal.state.asks.length).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
  await asks.answer(SAMPLE_ID, "n_0", { answer: "once" });
  expect(await Promise.all(outcomes)).toEqual(["once", "once"]);
  expect(await log()).toEqual([asked("n_0"), { type: "network.answered", askId: "n_0", answer: "once" }]);
});

test("when nobody watches the request is refused at once; a later answer tells the agent, and once holds for the next", async () => {
  const { asks, log } = await setUp({ attended: false });
  expect(await asks.ask(SAMPLE_ID, HOST, never)).toBe("waiting");
  await asks.answer(SAMPLE_ID, "n_0", { answer: "once" });
  expect(await log()).toEqual([
    asked("n_0"),
    { type: "network.answered", askId: "n_0", answer: "once" },
    {
      type: "notice.added",
      audience: "both",
      code: "egress_allowed",
      text: "The user allowed a.test once. Try again if you still need it.",
    },
  ]);
  expect(await asks.ask(SAMPLE_ID, HOST, never)).toBe("once");
  expect(await asks.ask(SAMPLE_ID, HOST, never)).toBe("waiting");
});

test("once, said late of a kind of request, lets through no other kind; each is asked for by itself", async () => {
  const { asks, journal } = await setUp({ attended: false });
  const get = { host: "api.test", port: 443, method: "GET", path: "/v1/a", reason: "request_not_allowed" };
  expect(await asks.ask(SAMPLE_ID, get, never)).toBe("waiting");
  await asks.answer(SAMPLE_ID, "n_0", { answer: "once" });
  const others = [
    { ...get, method: "DELETE" },
    { ...get, path: "/v1/b" },
    { ...get, port: 8443 },
    { ...get, host: "b.test" },
  ];
  const outcomes: string[] = [];
  for (const other of others) outcomes.push(await asks.ask(SAMPLE_ID, other, never));
  expect(outcomes).toEqual(others.map(() => "waiting"));
  expect(journal.state.asks).toMatchObject(others);
  expect(await asks.ask(SAMPLE_ID, get, never)).toBe("once");
});

test("once, said late, holds for ten minutes", async () => {
  const { asks, clock } = await setUp({ attended: false });
  await asks.ask(SAMPLE_ID, HOST, never);
  await asks.answer(SAMPLE_ID, "n_0", { answer: "once" });
  clock.advance(10 * 60_000);
  expect(await asks.ask(SAMPLE_ID, HOST, never)).toBe("waiting");
});

test("a request is held no longer than the limit, counted from the ask, and not when its client has gone", async () => {
  const { asks, clock, journal } = await setUp();
  const first = asks.ask(SAMPLE_ID, HOST, never);
  await expect.poll(() => clock.sleeps).toEqual([60_000]);
  clock.advance(60_000);
  expect(await first).toBe("waiting");
  expect(await asks.ask(SAMPLE_ID, HOST, never)).toBe("waiting");
  const gone = new AbortController();
  const other = asks.ask(SAMPLE_ID, { ...HOST, host: "b.test" }, gone.signal);
  await expect.poll(() => clock.sleeps.length).toBe(2);
  gone.abort();
  expect(await other).toBe("waiting");
  expect(journal.state.asks.map((ask) => ask.host)).toEqual(["a.test", "b.test"]);
});

test("here adds to the conversation's rule, always to the stored ones, deny to none", async () => {
  const { asks, journal, stored } = await setUp({ attended: false });
  const ask = async (request: RefusedRequest) => {
    await asks.ask(SAMPLE_ID, request, never);
    return journal.state.asks.at(-1)?.askId ?? "";
  };
  await asks.answer(SAMPLE_ID, await ask({ ...HOST, port: 8443, reason: "port_not_allowed" }), { answer: "here" });
  const kind = { host: "api.test", port: 80, method: "POST", path: "/v1/*", reason: "request_not_allowed" };
  await asks.answer(SAMPLE_ID, await ask(kind), { answer: "here" });
  expect(journal.state.sandbox.network).toEqual({
    ...NPM,
    hosts: ["a.test:8443"],
    requests: [{ host: "api.test", port: 80, methods: ["POST"], path: "/v1/%2A" }],
  });
  await asks.answer(SAMPLE_ID, await ask(HOST), { answer: "always", scope: "repository" });
  await asks.answer(SAMPLE_ID, await ask(HOST), { answer: "always" });
  await asks.answer(SAMPLE_ID, await ask(HOST), { answer: "deny" });
  expect(stored).toEqual([
    { ownerId: "local", scope: "repository", repository: "git.test/me/app", hosts: ["a.test"], requests: [] },
    { ownerId: "local", scope: "owner", repository: undefined, hosts: ["a.test"], requests: [] },
  ]);
  expect(journal.state.asks).toEqual([]);
});

test("always, for the team, stores a rule of the conversation's team, if it has one and who answers belongs to it", async () => {
  const answer = { answer: "always", scope: "team" } as const;
  const ofTeam = await setUp({ attended: false, teamId: "core" });
  await ofTeam.asks.ask(SAMPLE_ID, HOST, never);
  await ofTeam.asks.answer(SAMPLE_ID, "n_0", answer);
  expect(ofTeam.stored).toEqual([
    { ownerId: "local", scope: "team", teamId: "core", repository: undefined, hosts: ["a.test"], requests: [] },
  ]);
  expect((await ofTeam.log())[1]).toEqual({ type: "network.answered", askId: "n_0", ...answer });
  for (const [teamId, code] of [
    [null, "bad_request"],
    ["other", "forbidden"],
  ] as const) {
    const { asks, stored, journal } = await setUp({ attended: false, teamId });
    await asks.ask(SAMPLE_ID, HOST, never);
    await expect(asks.answer(SAMPLE_ID, "n_0", answer)).rejects.toMatchObject({ code });
    expect([stored, journal.state.asks.length]).toEqual([[], 1]);
  }
});

test("an ask survives the server; it is answered once, and closes by itself after a day", async () => {
  const { asks, parts, clock, journal, log } = await setUp({ attended: false });
  await asks.ask(SAMPLE_ID, HOST, never);
  const later = answering(askUsers(parts));
  await later.answer(SAMPLE_ID, "n_0", { answer: "deny" });
  await expect(later.answer(SAMPLE_ID, "n_0", { answer: "once" })).rejects.toMatchObject({ code: "ask_closed" });
  await later.ask(SAMPLE_ID, HOST, never);
  clock.advance(24 * 3_600_000);
  const [open] = journal.state.asks;
  await expect(later.answer(SAMPLE_ID, open?.askId ?? "", { answer: "once" })).rejects.toMatchObject({
    code: "ask_closed",
  });
  await later.ask(SAMPLE_ID, { ...HOST, host: "b.test" }, never);
  expect((await log()).slice(-2)).toMatchObject([
    { type: "network.answered", askId: open?.askId, answer: "expired" },
    { type: "network.asked", host: "b.test" },
  ]);
});

test("a sandbox that asks for ever opens no more than 20 asks", async () => {
  const { asks, journal } = await setUp({ attended: false });
  const outcomes: string[] = [];
  for (let index = 0; index < 25; index++) {
    outcomes.push(await asks.ask(SAMPLE_ID, { ...HOST, host: `h${index}.test` }, never));
  }
  expect([journal.state.asks.length, outcomes.filter((outcome) => outcome === "unasked").length]).toEqual([20, 5]);
});

test("a conversation that was set to no network meanwhile keeps none", async () => {
  const { asks, journal } = await setUp({ attended: false });
  await asks.ask(SAMPLE_ID, HOST, never);
  await journal.commit(() => [{ type: "conversation.configured", network: { type: "none" } }]);
  await expect(asks.answer(SAMPLE_ID, "n_0", { answer: "here" })).rejects.toMatchObject({ code: "bad_request" });
  expect(journal.state.sandbox.network).toEqual({ type: "none" });
});

const KIND: RefusedRequest = { host: "a.test", port: 443, method: "GET", path: "/v1", reason: "request_not_allowed" };

test.each([
  [
    "a name of 253 characters and a port",
    { ...HOST, host: `${"a".repeat(60)}.`.repeat(4).padEnd(253, "b"), port: 8443 },
  ],
  ["a long path", { ...KIND, path: `/${"x".repeat(1024)}` }],
  ["a path with a secret", { ...KIND, path: "/[secret API_KEY]/x" }],
  ["a host with a secret", { ...HOST, host: "[secret A-1].a.test" }],
  ["a method with a dash", { ...KIND, method: "M-SEARCH" }],
])("%s is not kept as a rule, since none can say it, and the ask stays open", async (_, request) => {
  const { asks, journal, stored } = await setUp({ attended: false });
  await asks.ask(SAMPLE_ID, request, never);
  for (const answer of ["always", "here"] as const) {
    await expect(asks.answer(SAMPLE_ID, "n_0", { answer })).rejects.toMatchObject({ code: "bad_request" });
  }
  expect([stored, journal.state.asks.length, journal.state.sandbox.network]).toEqual([[], 1, NPM]);
  await asks.answer(SAMPLE_ID, "n_0", { answer: "once" });
  expect(await asks.ask(SAMPLE_ID, request, never)).toBe("once");
});
