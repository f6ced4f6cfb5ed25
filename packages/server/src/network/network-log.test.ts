import { createJournal } from "@handrail/core/journal";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import { expect, test } from "vitest";
import { networkLog } from "./network-log.ts";

async function setUp() {
  const store = memoryLogStore();
  const clock = testClock();
  const journal = await createJournal(store, clock, sampleCreated());
  const failures: unknown[] = [];
  const log = networkLog({ journal: async () => journal, clock, onFailure: (thrown) => failures.push(thrown) });
  const events = async () => (await store.read(SAMPLE_ID, 0, 1000)).map(({ event }) => event);
  return { log, journal, clock, events, failures };
}

const request = (changes: Partial<NetworkRequest> = {}): NetworkRequest => ({
  at: 1,
  method: "GET",
  host: "a.test",
  port: 80,
  path: "/x",
  bytesUp: 1,
  bytesDown: 10,
  durationMs: 2,
  allowed: true,
  rule: "host a.test",
  ...changes,
});

test("requests are written in batches, and what is held is written at the close", async () => {
  const { log, events, failures } = await setUp();
  const requests = Array.from({ length: 130 }, (_, index) => request({ at: index }));
  for (const one of requests) log.add(SAMPLE_ID, one);
  await log.close();
  expect(await events()).toEqual([
    { type: "network.recorded", requests: requests.slice(0, 100) },
    { type: "network.recorded", requests: requests.slice(100) },
  ]);
  expect(failures).toEqual([]);
});

test("a flood is summed by host and outcome, nothing of it is lost, and the log stays small", async () => {
  const { log, journal, events } = await setUp();
  for (let index = 0; index < 10_000; index++) log.add(SAMPLE_ID, request());
  for (let index = 0; index < 500; index++) {
    log.add(
      SAMPLE_ID,
      request({ host: `h${index}.test`, allowed: false, rule: undefined, reason: "host_not_allowed" }),
    );
  }
  await log.close();
  expect(journal.state.network).toEqual({ requests: 10_500, refused: 500, bytesUp: 10_500, bytesDown: 105_000 });
  const written = (await events()).flatMap((event) => (event.type === "network.recorded" ? event.requests : []));
  expect(written.length).toBe(300 + 50 + 1);
  expect(written[300]).toEqual({
    at: 1,
    method: "GET",
    host: "a.test",
    port: 80,
    bytesUp: 9700,
    bytesDown: 97_000,
    durationMs: 19_400,
    allowed: true,
    rule: "host a.test",
    count: 9700,
  });
  expect(written.at(-1)).toMatchObject({ host: "(others)", allowed: false, count: 451 });
});

test("a limit is written once a minute", async () => {
  const { log, clock, events } = await setUp();
  log.limited(SAMPLE_ID, "requestsPerMinute", 5);
  log.limited(SAMPLE_ID, "requestsPerMinute", 5);
  log.limited(SAMPLE_ID, "bytes", 9);
  clock.advance(60_000);
  log.limited(SAMPLE_ID, "requestsPerMinute", 5);
  await log.close();
  expect(await events()).toEqual([
    { type: "network.limited", limit: "requestsPerMinute", max: 5 },
    { type: "network.limited", limit: "bytes", max: 9 },
    { type: "network.limited", limit: "requestsPerMinute", max: 5 },
  ]);
});
