import { AppError } from "@handrail/protocol/errors";
import type { EventOf } from "@handrail/protocol/events";
import type { SetupChoice } from "@handrail/protocol/setup";
import { expect, test } from "vitest";
import { createJournal } from "./journal.ts";
import type { OpenedSetup } from "./ports/setup-cache.ts";
import { setUp } from "./set-up.ts";
import { sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { HANGS, report, type SandboxHandlers, scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const never = new AbortController().signal;
const FOLDER = { type: "folder", path: "/repository" } as const;
const CALL = `k_${"0".repeat(20)}`;

async function world(handlers: SandboxHandlers, setup: SetupChoice = { type: "command", command: "npm ci" }) {
  const clock = testClock();
  const store = memoryLogStore();
  const created = sampleCreated({ source: FOLDER, setup });
  const journal = await createJournal(store, clock, created);
  const said: string[] = [];
  let calls = 0;
  const parts = { journal, clock, newId: () => `k_${String(calls++).padStart(20, "0")}`, limitMs: 60_000 };
  const sandbox = scriptedSandbox(handlers);
  const events = async () => (await store.read(created.conversationId, 0, 100)).map(({ event }) => event);
  const run = (cache?: OpenedSetup, signal = never) =>
    setUp({ ...parts, cache: cache && { open: async () => cache } }, sandbox, (text) => said.push(text), signal);
  return { journal, sandbox, said, events, run };
}

const ENDED: EventOf<"setup.ended"> = {
  type: "setup.ended",
  outcome: "ok",
  command: "npm ci",
  origin: "conversation",
  exitCode: 0,
  output: "added 1 package",
  durationMs: 0,
  kept: false,
};
const STARTED = {
  type: "setup.started",
  callId: CALL,
  bootId: "boot-1",
  command: "npm ci",
  origin: "conversation",
} as const;

const ends = (output: string, exitCode: number | null, running = false) => ({
  "terminal.run": () => report(output, exitCode, running),
  "terminal.kill": () => report(""),
});

test("a set-up runs once, is in the log with its output, and the model is told", async () => {
  const { run, events, sandbox } = await world(ends("added 1 package", 0));
  await run();
  await run();
  const text = "The workspace was set up by `npm ci`, which ended well.";
  expect(await events()).toEqual([
    STARTED,
    ENDED,
    { type: "notice.added", audience: "model", code: "workspace_set_up", text },
  ]);
  expect(sandbox.ran).toEqual(["terminal.run npm ci"]);
});

test("a set-up that fails is said and ends nothing", async () => {
  const { run, events } = await world(ends("no such package", 1));
  await run({ reuse: async () => undefined, keep: () => Promise.reject(new Error("not asked")) });
  const text =
    "The workspace's set-up `npm ci` failed (exit 1). What it makes may be missing or incomplete; run it to see why.";
  expect(await events()).toEqual([
    STARTED,
    { ...ENDED, outcome: "failed", exitCode: 1, output: "no such package" },
    { type: "notice.added", audience: "model", code: "workspace_set_up", text },
  ]);
});

test("a set-up that takes too long is killed", async () => {
  const { run, events, sandbox } = await world(ends("still at it", null, true));
  await run();
  expect((await events())[1]).toEqual({ ...ENDED, outcome: "limited", exitCode: null, output: "still at it" });
  expect(sandbox.ran).toEqual(["terminal.run npm ci", "terminal.kill"]);
});

test("a kept result is put in place and nothing runs", async () => {
  const { run, events, sandbox } = await world(ends("", 0));
  const reused = { at: 1, ranMs: 8000, files: 3, bytes: 90 };
  await run({ reuse: async () => reused, keep: async () => undefined });
  const { exitCode: _, ...rest } = ENDED;
  expect((await events())[0]).toEqual({ ...rest, outcome: "reused", exitCode: null, output: "", kept: true, reused });
  expect(sandbox.ran).toEqual([]);
});

test("a result is kept, or it is said why not", async () => {
  const kept = await world(ends("", 0));
  await kept.run({ reuse: async () => undefined, keep: async () => undefined });
  expect((await kept.events())[1]).toMatchObject({ kept: true });

  const not = await world(ends("", 0));
  await not.run({ reuse: async () => undefined, keep: async () => "It wrote elsewhere." });
  expect((await not.events())[1]).toMatchObject({ kept: false, notKept: "It wrote elsewhere." });

  const full = await world(ends("", 0));
  const keep = () => Promise.reject(new AppError("storage_full", "The disk is full."));
  await full.run({ reuse: () => Promise.reject(new Error("damaged")), keep });
  expect((await full.events())[1]).toMatchObject({ outcome: "ok", kept: false, notKept: "The disk is full." });
});

test("an interrupted set-up is run again, and given up after three times", async () => {
  const { run, journal, events } = await world({ "terminal.run": () => HANGS });
  for (let attempt = 1; attempt <= 3; attempt++) {
    const stop = new AbortController();
    const ended = expect(run(undefined, stop.signal)).rejects.toThrow("stopped");
    await expect.poll(() => journal.state.setup?.running ?? null).not.toBe(null);
    stop.abort(new Error("stopped"));
    await ended;
    expect(journal.state.setup).toEqual({ running: null, attempts: attempt, done: false });
  }
  await run();
  expect(journal.state.setup?.done).toBe(true);
  expect(
    (await events()).filter(({ type }) => type === "setup.ended").map((event) => "outcome" in event && event.outcome),
  ).toEqual(["cancelled", "cancelled", "cancelled", "failed"]);
});

test("one that went on while the server was away is waited for, not run again, and said not to be kept", async () => {
  const { run, journal, sandbox, events } = await world(ends("done meanwhile", 0));
  await journal.commit(() => [STARTED]);
  await sandbox.call(
    "terminal.run",
    { terminal: "setup", command: "npm ci", timeoutMs: 1, capBytes: 1 },
    { id: CALL, signal: never },
  );
  await run({
    reuse: () => Promise.reject(new Error("not asked")),
    keep: () => Promise.reject(new Error("not asked")),
  });
  const notKept =
    "It went on while the server was away, so that what was there before it is not known. It is not kept.";
  expect((await events()).slice(0, 2)).toEqual([STARTED, { ...ENDED, output: "done meanwhile", notKept }]);
  expect(sandbox.ran).toEqual(["terminal.run npm ci"]);
});

test("a repository's own script runs where it is, unless the conversation wants nothing or there is no isolation", async () => {
  const script = { ...ends("", 0), "file.read": () => ({}) };
  const own = await world(script, { type: "repository" });
  await own.run();
  expect((await own.events())[0]).toEqual({ ...STARTED, command: ".handrail/setup.sh", origin: "repository" });

  const none = await world(script, { type: "none" });
  await none.run();
  expect(await none.events()).toEqual([]);

  const without = await world(ends("", 0), { type: "repository" });
  await without.run();
  expect(await without.events()).toEqual([]);

  const bare = await world(script, { type: "repository" });
  Object.assign(bare.sandbox, { backend: "none" });
  await bare.run();
  expect(await bare.events()).toEqual([]);
});
