import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { createJournal, openJournal } from "@handrail/core/journal";
import type { Journal } from "@handrail/core/journal";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import { AppError } from "@handrail/protocol/errors";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { networkLog } from "./network-log.ts";
import { openSpool } from "./network-spool.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "handrail-spool-"));
  path = join(directory, "network.spool");
});
afterEach(() => rm(directory, { recursive: true }));

async function setUp() {
  const store = memoryLogStore();
  const clock = testClock();
  const journal = await createJournal(store, clock, sampleCreated());
  const failures: unknown[] = [];
  /** As a server does that starts, beside which none other runs; the one before was killed unless it was closed. */
  const start = async (open = async (id: string) => openJournal(store, clock, id)) =>
    networkLog({
      journal: open,
      spool: await openSpool(path, clock),
      clock,
      onFailure: (thrown) => failures.push(thrown),
    });
  const events = async () => (await store.read(SAMPLE_ID, 0, 1000)).map(({ event }) => event);
  const recorded = async () =>
    (await events()).flatMap((event) => (event.type === "network.recorded" ? event.requests : []));
  return { start, journal, clock, events, recorded, failures };
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

const { bytesUp: _up, bytesDown: _down, durationMs: _ms, allowed: _allowed, rule = "", ...begun } = request();
const NO_BYTES = () => ({ bytesUp: 0, bytesDown: 0 });

test("requests are written in batches, and what is held is written at the close", async () => {
  const { start, events, failures } = await setUp();
  const log = await start();
  const requests = Array.from({ length: 130 }, (_, index) => request({ at: index }));
  for (const one of requests) log.add(SAMPLE_ID, one);
  await log.close();
  expect(await events()).toEqual([
    { type: "network.recorded", requests: requests.slice(0, 100) },
    {
      type: "network.recorded",
      requests: requests.slice(100),
      spooled: { spool: expect.stringMatching(/^[0-9a-f]{16}$/), upTo: 129 },
    },
  ]);
  expect(failures).toEqual([]);
});

test("a flood that goes on is written once a minute", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { start, recorded, clock } = await setUp();
  const log = await start();
  for (let second = 0; second < 180; second++) {
    for (let index = 0; index < 100; index++) log.add(SAMPLE_ID, request({ host: `${index}.test` }));
    clock.advance(1000);
    vi.advanceTimersByTime(1000);
    await turn();
  }
  await log.close();
  const written = await recorded();
  expect(written.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(18_000);
  expect(written.length).toBeLessThanOrEqual(4 * (300 + 51));
});

test("a flood is summed by host and outcome, nothing of it is lost, and the log stays small", async () => {
  const { start, journal, recorded } = await setUp();
  const log = await start();
  for (let index = 0; index < 10_000; index++) log.add(SAMPLE_ID, request());
  for (let index = 0; index < 500; index++) {
    log.add(
      SAMPLE_ID,
      request({ host: `h${index}.test`, allowed: false, rule: undefined, reason: "host_not_allowed" }),
    );
  }
  await log.close();
  await journal.catchUp();
  expect(journal.state.network).toEqual({ requests: 10_500, refused: 500, bytesUp: 10_500, bytesDown: 105_000 });
  const written = await recorded();
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
  const { start, clock, events } = await setUp();
  const log = await start();
  log.limited(SAMPLE_ID, "requestsPerMinute", 5);
  log.limited(SAMPLE_ID, "requestsPerMinute", 5);
  log.limited(SAMPLE_ID, "bytes", 9);
  clock.advance(60_000);
  log.limited(SAMPLE_ID, "requestsPerMinute", 5);
  await log.close();
  expect((await events()).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
    { type: "network.limited", limit: "bytes", max: 9 },
    { type: "network.limited", limit: "requestsPerMinute", max: 5 },
    { type: "network.limited", limit: "requestsPerMinute", max: 5 },
  ]);
});

test(
  "what a killed server had not written comes to the log after the next start, once, whatever the kill left",
  { timeout: 30_000 },
  async () => {
    const { start, recorded, clock } = await setUp();
    const never = () => new Promise<Journal>(() => undefined);
    const first = await start(never);
    first.add(SAMPLE_ID, request({ at: 1 }));
    first.begin(SAMPLE_ID, { ...begun, rule, at: clock.now() - 2000, secrets: ["KEY"] }, () => ({
      bytesUp: 7,
      bytesDown: 70,
    }));
    first.begin(SAMPLE_ID, { ...begun, rule, at: 4 }, NO_BYTES)?.end(request({ at: 4 }));
    first.begin(SAMPLE_ID, { ...begun, rule, at: 5 }, NO_BYTES)?.drop();
    await expect.poll(async () => readFile(path, "utf8"), { timeout: 25_000 }).toContain('"bytes"');
    const left = [
      request({ at: 1 }),
      request({ at: 4 }),
      request({ at: clock.now() - 2000, bytesUp: 7, bytesDown: 70, durationMs: 2000, reason: "cut", secrets: ["KEY"] }),
    ];
    // The kill may have come while a line was written.
    await writeFile(path, `${await readFile(path, "utf8")}{"type":"begin","id":9`);

    const second = await start();
    second.add(SAMPLE_ID, request({ at: 6 }));
    const third = await start();
    const asKilled = await readFile(path, "utf8");
    await third.close();
    expect(await recorded()).toEqual([...left, request({ at: 6 })]);

    // Killed between the append to the log and the line that says so: the log tells.
    await writeFile(path, asKilled);
    const fourth = await start();
    fourth.add(SAMPLE_ID, request({ at: 7 }));
    await fourth.close();
    await (await start()).close();
    expect(await recorded()).toEqual([...left, request({ at: 6 }), request({ at: 7 })]);
  },
);

test("what is left of a conversation that was removed meanwhile is let go, and others' is not", async () => {
  const { start, recorded, failures } = await setUp();
  const first = await start();
  first.add("c_gone", request());
  first.add(SAMPLE_ID, request());
  await (await start()).close();
  expect(await recorded()).toEqual([request()]);
  expect(failures).toMatchObject([{ code: "conversation_not_found" }]);
  await (await start()).close();
  expect(failures.length).toBe(1);
});

test("what a log does not take is kept in order, and written once it does", async () => {
  const { start, recorded, journal, failures } = await setUp();
  let full = true;
  const failing = async (): Promise<Journal> => {
    if (full) throw new AppError("storage_full", "The disk is full.");
    return journal;
  };
  const log = await start(failing);
  for (let at = 0; at < 100; at++) log.add(SAMPLE_ID, request({ at }));
  await expect.poll(() => failures).toMatchObject([{ code: "storage_full" }]);
  log.add(SAMPLE_ID, request({ at: 100 }));
  full = false;
  await log.close();
  expect((await recorded()).map(({ at }) => at)).toEqual(Array.from({ length: 101 }, (_, at) => at));
});

test("the file stays short, with what is under way in it, and damage at its beginning loses nothing", async () => {
  const { start, recorded, journal } = await setUp();
  const log = await start();
  log.begin(SAMPLE_ID, { ...begun, rule, at: 9 }, NO_BYTES);
  for (let index = 0; index < 20_000; index++) log.add(SAMPLE_ID, request());
  await expect.poll(async () => (await journal.catchUp(), journal.state.network.requests)).toBe(20_000);
  log.add(SAMPLE_ID, request({ at: 10 }));
  const text = await readFile(path, "utf8");
  expect(text.length).toBeLessThan(2_200_000);
  await writeFile(path, `#${text}`);
  await (await start()).close();
  expect((await recorded()).slice(-2)).toEqual([
    request({ at: 10 }),
    request({ at: 9, bytesUp: 0, bytesDown: 0, durationMs: 0, reason: "cut" }),
  ]);
});
