import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { testClock } from "@handrail/core/testing/test-clock";
import { AppError } from "@handrail/protocol/errors";
import type { SandboxChoice } from "@handrail/protocol/sources";
import { beforeEach, expect, test } from "vitest";
import { warmPool } from "./warm-pool.ts";

const EMPTY = { type: "empty" } as const;
const CHOICE: SandboxChoice = { backend: "process", network: { type: "none" } };
const HALF_HOUR = 30 * 60_000;

let started: string[];
let removed: string[];
let sandboxes: Map<string, ReturnType<typeof scriptedSandbox>>;
let failure: AppError | undefined;
let failures: unknown[];
let clock: ReturnType<typeof testClock>;

beforeEach(() => {
  started = [];
  removed = [];
  failures = [];
  failure = undefined;
  sandboxes = new Map();
  clock = testClock({ skipUpToMs: 0 });
});

const backend: SandboxBackend = {
  name: "process",
  health: async () => ({ name: "process", works: true, detail: "scripted" }),
  hasWorkspace: async (id) => sandboxes.has(id),
  find: async (id): Promise<Sandbox | undefined> => sandboxes.get(id),
  async start({ conversationId, seedDirectory }) {
    expect(seedDirectory).toBeUndefined();
    if (failure !== undefined) throw failure;
    started.push(conversationId);
    const sandbox = scriptedSandbox();
    sandboxes.set(conversationId, sandbox);
    return sandbox;
  },
  stop: async () => undefined,
  async remove(id) {
    removed.push(id);
    sandboxes.delete(id);
  },
  collect: async () => undefined,
  close: async () => undefined,
};

const poolOf = (max: number) =>
  warmPool({ backends: { get: async () => backend }, clock, max, onFailure: (thrown) => failures.push(thrown) });

/** Lets what is due happen. */
async function after(ms: number): Promise<void> {
  await turns();
  clock.advance(ms);
  await turns();
}

const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

test("the first conversation of a kind gets a fresh id, and the second the one that was made ready meanwhile", async () => {
  const pool = poolOf(2);
  const first = pool.idFor(CHOICE, EMPTY);
  expect(started).toEqual([]);
  await after(1000);
  expect(started).toEqual([expect.stringMatching(/^c_[0-9a-z]{20}$/)]);
  expect(started).not.toContain(first);
  expect(pool.waiting).toBe(1);
  expect(pool.idFor({ ...CHOICE, network: { type: "allow", presets: [], hosts: [] } }, EMPTY)).toBe(started[0]);
  expect(pool.waiting).toBe(0);
  await after(1000);
  expect(pool.waiting).toBe(2);
  await pool.close();
});

test("as many wait as were used in the last half hour, up to the limit, and none when nobody asks any more", async () => {
  const pool = poolOf(2);
  for (let use = 0; use < 3; use++) pool.idFor(CHOICE, EMPTY);
  await after(1000);
  expect(pool.waiting).toBe(2);
  await after(HALF_HOUR);
  await after(1000);
  expect({ waiting: pool.waiting, removed: removed.toSorted() }).toEqual({ waiting: 0, removed: started.toSorted() });
});

test("other images and other profiles do not get it, and neither do conversations with files", async () => {
  const pool = poolOf(4);
  pool.idFor(CHOICE, EMPTY);
  await after(1000);
  expect(pool.idFor({ ...CHOICE, profile: "strict" }, EMPTY)).not.toBe(started[0]);
  expect(pool.idFor({ ...CHOICE, image: "debian:12" }, EMPTY)).not.toBe(started[0]);
  expect(pool.idFor(CHOICE, { type: "demo" })).not.toBe(started[0]);
  expect(pool.idFor(CHOICE, EMPTY)).toBe(started[0]);
  await pool.close();
});

test("one that has died is not given away, and is put away", async () => {
  const pool = poolOf(1);
  pool.idFor(CHOICE, EMPTY);
  await after(1000);
  const [dead = ""] = started;
  sandboxes.get(dead)?.lose();
  await after(0);
  expect(pool.idFor(CHOICE, EMPTY)).not.toBe(dead);
  await after(1000);
  expect(removed).toEqual([dead]);
  expect(pool.waiting).toBe(1);
  await pool.close();
});

test("a backend that fails is not asked again until the next conversation", async () => {
  const pool = poolOf(2);
  failure = new AppError("backend_unavailable", "No daemon.");
  pool.idFor(CHOICE, EMPTY);
  await after(1000);
  await after(60_000);
  expect(failures).toEqual([failure]);
  failure = undefined;
  pool.idFor(CHOICE, EMPTY);
  await after(1000);
  expect(pool.waiting).toBe(2);
  await pool.close();
});

test("what waits, or is about to, is kept from collection, and closing removes it", async () => {
  const pool = poolOf(1);
  const keep = new Set<string>();
  const stop = pool.keepIn(keep);
  pool.idFor(CHOICE, EMPTY);
  await after(1000);
  expect([...keep]).toEqual(started);
  stop();
  await pool.close();
  expect(removed).toEqual(started);
});

test("a limit of 0 turns it off", async () => {
  const pool = poolOf(0);
  pool.idFor(CHOICE, EMPTY);
  await after(HALF_HOUR);
  expect(started).toEqual([]);
});
