import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { testClock } from "@handrail/core/testing/test-clock";
import { AppError } from "@handrail/protocol/errors";
import type { SandboxChoice } from "@handrail/protocol/sources";
import { beforeEach, expect, test } from "vitest";
import { warmPool } from "./warm-pool.ts";

const CHOICE: SandboxChoice = { backend: "process", network: { type: "none" } };
const HALF_HOUR = 30 * 60_000;

let started: string[];
let removed: string[];
let sandboxes: Map<string, ReturnType<typeof scriptedSandbox>>;
let failure: AppError | undefined;
/** Starts wait for it. */
let held: Promise<void>;
let failures: unknown[];
/** That were not disposed of. */
let seeds: number;
let clock: ReturnType<typeof testClock>;

beforeEach(() => {
  started = [];
  removed = [];
  failures = [];
  seeds = 0;
  failure = undefined;
  held = Promise.resolve();
  sandboxes = new Map();
  clock = testClock({ skipUpToMs: 0 });
});

const backend: SandboxBackend = {
  name: "process",
  health: async () => ({ name: "process", works: true, detail: "scripted", profiles: ["default"] }),
  hasWorkspace: async (id) => sandboxes.has(id),
  find: async (id): Promise<Sandbox | undefined> => sandboxes.get(id),
  async start({ conversationId, seedDirectory }) {
    expect(seedDirectory).toBe("/empty");
    if (failure !== undefined) throw failure;
    started.push(conversationId);
    await held;
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
  warmPool({
    backends: { get: async () => backend },
    prepareSeed: async ({ type }) => {
      seeds += 1;
      return { directory: `/${type}`, dispose: async () => void (seeds -= 1) };
    },
    clock,
    max,
    onFailure: (thrown) => failures.push(thrown),
  });

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
  const first = pool.claim(CHOICE);
  expect(started).toEqual([]);
  await after(1000);
  expect(started).toEqual([expect.stringMatching(/^c_[0-9a-z]{20}$/)]);
  expect(first).toMatchObject({ spare: false });
  expect(started).not.toContain(first.id);
  expect(pool.waiting).toBe(1);
  expect(pool.claim({ ...CHOICE, network: { type: "allow", presets: [], hosts: [] } }).id).toBe(started[0]);
  expect(pool.waiting).toBe(0);
  await after(1000);
  expect(pool.waiting).toBe(2);
  await pool.close();
});

test("as many wait as were used in the last half hour, up to the limit, and none when nobody asks any more", async () => {
  const pool = poolOf(2);
  for (let use = 0; use < 3; use++) pool.claim(CHOICE);
  await after(1000);
  expect(pool.waiting).toBe(2);
  await after(HALF_HOUR);
  await after(1000);
  expect({ waiting: pool.waiting, removed: removed.toSorted() }).toEqual({ waiting: 0, removed: started.toSorted() });
});

test("other images and other profiles do not get it", async () => {
  const pool = poolOf(4);
  pool.claim(CHOICE);
  await after(1000);
  expect(pool.claim({ ...CHOICE, profile: "strict" }).id).not.toBe(started[0]);
  expect(pool.claim({ ...CHOICE, image: "debian:12" }).id).not.toBe(started[0]);
  expect(pool.claim(CHOICE).id).toBe(started[0]);
  await pool.close();
});

test("one that has died is not given away, and is put away", async () => {
  const pool = poolOf(1);
  pool.claim(CHOICE);
  await after(1000);
  const [dead = ""] = started;
  sandboxes.get(dead)?.lose();
  await after(0);
  expect(pool.claim(CHOICE).id).not.toBe(dead);
  await after(1000);
  expect(removed).toEqual([dead]);
  expect(pool.waiting).toBe(1);
  await pool.close();
});

test("a backend that fails is not asked again until the next conversation", async () => {
  const pool = poolOf(2);
  failure = new AppError("backend_unavailable", "No daemon.");
  pool.claim(CHOICE);
  await after(1000);
  await after(60_000);
  expect(failures).toEqual([failure]);
  failure = undefined;
  pool.claim(CHOICE);
  await after(1000);
  expect(pool.waiting).toBe(2);
  await pool.close();
});

test("what waits, or is about to, is kept from collection, and closing removes it", async () => {
  const pool = poolOf(1);
  const keep = new Set<string>();
  const stop = pool.keepIn(keep);
  pool.claim(CHOICE);
  await after(1000);
  expect([...keep]).toEqual(started);
  stop();
  await pool.close();
  expect(removed).toEqual(started);
});

test("a spare whose conversation is being made is kept from collection, and one that was given up is not", async () => {
  const pool = poolOf(2);
  for (let use = 0; use < 2; use++) pool.claim(CHOICE);
  await after(1000);
  const [claimed, other] = [pool.claim(CHOICE), pool.claim(CHOICE)];
  other.giveUp();
  await after(1000);
  const keep = new Set<string>();
  pool.keepIn(keep)();
  expect([keep.has(claimed.id), keep.has(other.id)]).toEqual([true, false]);
  await pool.close();
});

test("a spare belongs to the conversation that claimed it, and to no other", async () => {
  const pool = poolOf(2);
  for (let use = 0; use < 2; use++) pool.claim(CHOICE);
  await after(1000);
  const claims = Array.from({ length: 3 }, () => pool.claim(CHOICE));
  expect(claims.map(({ spare }) => spare)).toEqual([true, true, false]);
  expect(new Set(claims.map(({ id }) => id)).size).toBe(3);
  await pool.close();
  expect(removed).not.toContain(claims[0]?.id);
  expect(seeds).toBe(0);
});

test("a spare whose conversation was not made after all is removed, and given to nobody", async () => {
  const pool = poolOf(1);
  pool.claim(CHOICE);
  await after(1000);
  const claim = pool.claim(CHOICE);
  claim.giveUp();
  expect(pool.claim(CHOICE).id).not.toBe(claim.id);
  await after(1000);
  expect({ removed, claimed: pool.claimedBefore(Infinity) }).toEqual({ removed: [claim.id], claimed: [] });
  await pool.close();
});

test("what was claimed long ago is told until it is forgotten", async () => {
  const pool = poolOf(1);
  pool.claim(CHOICE);
  await after(1000);
  const { id } = pool.claim(CHOICE);
  const now = clock.now();
  expect([pool.claimedBefore(now), pool.claimedBefore(now + 1)]).toEqual([[], [id]]);
  pool.forget(id);
  expect(pool.claimedBefore(now + 1)).toEqual([]);
  await pool.close();
});

test("kinds share the limit: one that is asked for as often has what is left of it", async () => {
  const pool = poolOf(3);
  for (let use = 0; use < 2; use++) {
    pool.claim(CHOICE);
    pool.claim({ ...CHOICE, profile: "strict" });
  }
  await after(1000);
  expect([pool.waiting, started.length]).toEqual([3, 3]);
  await pool.close();
});

test("nothing is made ready where nothing is isolated", async () => {
  const pool = poolOf(2);
  pool.claim({ ...CHOICE, backend: "none" });
  await after(1000);
  expect(started).toEqual([]);
  await pool.close();
});

test("one that is just being made is kept from collection, and closing waits for it and removes it", async () => {
  const made = Promise.withResolvers<void>();
  held = made.promise;
  const pool = poolOf(1);
  pool.claim(CHOICE);
  await after(1000);
  const keep = new Set<string>();
  pool.keepIn(keep);
  expect([[...keep], started.length, pool.waiting]).toEqual([started, 1, 0]);
  const closing = pool.close();
  made.resolve();
  await closing;
  expect(removed).toEqual(started);
});

test("what a start that failed has left is removed", async () => {
  const pool = poolOf(1);
  failure = new AppError("sandbox_failed", "It ended.");
  pool.claim(CHOICE);
  await after(1000);
  expect(removed).toEqual([expect.stringMatching(/^c_/)]);
  await pool.close();
});

test("a limit of 0 turns it off", async () => {
  const pool = poolOf(0);
  pool.claim(CHOICE);
  await after(HALF_HOUR);
  expect(started).toEqual([]);
});
