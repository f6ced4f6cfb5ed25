import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import type { SandboxChoice } from "@handrail/protocol/sources";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { createConversation } from "../conversations/create-conversation.ts";
import { hostConversations, makeId } from "./conversations.ts";
import { housekeeping } from "./housekeeping.ts";
import { openState } from "./state.ts";
import { workspacesOf } from "./workspaces.ts";

const EMPTY = { type: "empty" } as const;
const DEMO = { type: "demo" } as const;
/** The history of its repository. */
const COMMITTED = "The demo as it comes\n";
const CHOICE: SandboxChoice = { backend: "process", network: { type: "none" } };
/** Longer than any test. */
const NEVER_MS = 3_600_000;
const WAIT = { timeout: 60_000 };

let homes: string[];
let opened: (() => Promise<void>)[];
beforeEach(() => {
  homes = [];
  opened = [];
});
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
  for (const home of homes) {
    const { backend, close } = await openServer(home);
    await backend.collect(new Set());
    await close();
    await rm(home, { recursive: true, force: true, maxRetries: 10 });
  }
});

async function newHome(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "handrail-keeping-"));
  homes.push(home);
  return home;
}

/** What a server does with sandboxes, over a state directory and without its page: closing leaves them running. */
async function openServer(home: string) {
  const config = readConfig(["--home", home, "--log-level", "silent"], {});
  const state = await openState(config);
  const { prepareSeed, emptySeed, checkSource } = workspacesOf(config);
  const host = hostConversations({ ...state, ...config, prepareSeed, emptySeed, warmSandboxes: 1 });
  const { profile, profiles } = config.sandbox;
  const defaults = { ...config, image: undefined, network: CHOICE.network, unsandboxed: false, profile, profiles };
  const parts = { ...state, checkSource, defaults, wake: host.runs.wake, clock: systemClock, newId: makeId };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= state.close());
  opened.push(close);
  return {
    host,
    close,
    store: state.store,
    backend: await state.backends.get("process"),
    /** The id of a new conversation whose sandbox runs. */
    async startSandbox(): Promise<string> {
      const wanted = { ownerId: "local", source: EMPTY, sandbox: CHOICE };
      const claim = () => ({ id: newId("c", Date.now()), spare: false, giveUp: () => undefined });
      const { id } = await createConversation({ ...parts, claim }, wanted, soon());
      await host.sandboxes.open(await host.journals.get(id), () => undefined, soon());
      return id;
    },
    /** The id of a new conversation with files, that of a spare which waited. Another one is made ready for the next. */
    async claimSpare(): Promise<string> {
      if (host.pool.waiting === 0) host.pool.claim(CHOICE);
      await expect.poll(() => host.pool.waiting, WAIT).toBe(1);
      const wanted = { ownerId: "local", source: DEMO, sandbox: CHOICE };
      const claim = (choice: SandboxChoice) => host.pool.claim(choice);
      return (await createConversation({ ...parts, claim }, wanted, soon())).id;
    },
    /** The conversation's sandbox with what is in its workspace. */
    async look(id: string) {
      const sandbox = await host.sandboxes.open(await host.journals.get(id), () => undefined, soon());
      const args = { argv: ["git", "log", "--format=%s"], timeoutMs: 60_000, capBytes: 1000 };
      const { stdout } = await sandbox.call("process.run", args, { signal: soon() });
      return { bootId: sandbox.bootId, stdout };
    },
    keep: (
      times: { readonly idleMs: number; readonly collectAfterMs: number; readonly stopIdleEveryMs: number },
      backends = state.backends,
    ) => housekeeping({ ...state, backends, host, setup: config.setup, ...times }),
    backends: state.backends,
  };
}

type Server = Awaited<ReturnType<typeof openServer>>;

const soon = () => AbortSignal.timeout(60_000);
const find = ({ backend }: Server, id: string): Promise<Sandbox | undefined> => backend.find(id, soon());

const stops = async ({ store }: Server, id: string) =>
  (await store.read(id, -1, 1000))
    .map(({ event }: StoredEvent) => event)
    .filter(({ type }) => type === "sandbox.stopped");

const IDLE = [expect.objectContaining({ type: "sandbox.stopped", reason: "idle" })];

test("sandboxes that nothing uses are stopped, those in use are not, and the workspace stays", async () => {
  const server = await openServer(await newHome());
  const held = await server.startSandbox();
  const idle = await server.startSandbox();
  const release = server.host.sandboxes.hold(held);
  const keeping = server.keep({ idleMs: 0, collectAfterMs: NEVER_MS, stopIdleEveryMs: 20 });
  try {
    // The one in use comes first in each look: it was passed over when the other one was stopped.
    await expect.poll(() => stops(server, idle), WAIT).toEqual(IDLE);
    expect(await stops(server, held)).toEqual([]);
    expect(await find(server, held)).toBeDefined();
    expect(await find(server, idle)).toBeUndefined();
    expect(await server.backend.hasWorkspace(idle)).toBe(true);
    release();
    await expect.poll(() => stops(server, held), WAIT).toEqual(IDLE);
    expect(await find(server, held)).toBeUndefined();
  } finally {
    keeping.stop();
  }
});

test("a sandbox that ran before the server's start is found again, counted as idle, and stopped", async () => {
  const home = await newHome();
  const before = await openServer(home);
  const id = await before.startSandbox();
  const bootId = before.host.sandboxes.current(id)?.bootId;
  await before.close();

  const after = await openServer(home);
  const adopted = new Promise<string>((resolve) => after.host.sandboxes.onOpen(resolve));
  const first = after.keep({ idleMs: 0, collectAfterMs: 0, stopIdleEveryMs: NEVER_MS });
  expect(await adopted).toBe(id);
  first.stop();
  expect(after.host.sandboxes.current(id)?.bootId).toBe(bootId);
  expect(await stops(after, id)).toEqual([]);

  const second = after.keep({ idleMs: 0, collectAfterMs: NEVER_MS, stopIdleEveryMs: 20 });
  await expect.poll(() => stops(after, id), WAIT).toEqual(IDLE);
  second.stop();
  expect(await find(after, id)).toBeUndefined();
});

test("a sandbox of another version is stopped at the start, and one that does not answer keeps no other from being found", async () => {
  const home = await newHome();
  const before = await openServer(home);
  const good = await before.startSandbox();
  const other = await before.startSandbox();
  const silent = await before.startSandbox();
  await before.close();

  const after = await openServer(home);
  const codes = new Map([[other, "sandboxd_mismatch"] as const, [silent, "sandbox_failed"] as const]);
  const find: SandboxBackend["find"] = async (id, signal) => {
    const code = codes.get(id);
    if (code !== undefined) throw new AppError(code, "no");
    return after.backend.find(id, signal);
  };
  const backends = { ...after.backends, get: async () => ({ ...after.backend, find }) };
  const adopted = new Promise<string>((resolve) => after.host.sandboxes.onOpen(resolve));
  const keeping = after.keep({ idleMs: NEVER_MS, collectAfterMs: 0, stopIdleEveryMs: NEVER_MS }, backends);
  try {
    expect(await adopted).toBe(good);
    await expect.poll(() => stops(after, other), WAIT).toEqual(IDLE);
    expect(await Promise.all([good, silent].map((id) => stops(after, id)))).toEqual([[], []]);
  } finally {
    keeping.stop();
  }
});

test("what no conversation has is collected at the start; conversations, spares and other servers' stay", async () => {
  const [server, other] = [await openServer(await newHome()), await openServer(await newHome())];
  const kept = await server.startSandbox();
  const others = await other.startSandbox();
  const left = newId("c", Date.now());
  const spec = { conversationId: left, choice: CHOICE, seedDirectory: undefined };
  await server.backend.start(spec, () => undefined, soon());
  server.host.pool.claim(CHOICE);
  await expect.poll(() => server.host.pool.waiting, WAIT).toBe(1);

  const keeping = server.keep({ idleMs: NEVER_MS, collectAfterMs: 0, stopIdleEveryMs: NEVER_MS });
  await expect.poll(() => server.backend.hasWorkspace(left), WAIT).toBe(false);
  keeping.stop();
  const { id: spare } = server.host.pool.claim(CHOICE);
  const running = await Promise.all([find(server, left), find(server, kept), find(server, spare), find(other, others)]);
  expect(running.map((sandbox) => sandbox !== undefined)).toEqual([false, true, true, true]);
  await server.host.pool.close();
});

test("a spare outlives a server that is killed before its first command; claimed for no conversation, it is collected", async () => {
  const home = await newHome();
  const before = await openServer(home);
  const id = await before.claimSpare();
  const bootId = (await find(before, id))?.bootId;
  await expect.poll(() => before.host.pool.waiting, WAIT).toBe(1);
  const { id: left } = before.host.pool.claim(CHOICE);
  await before.close();

  const after = await openServer(home);
  expect(await after.look(id)).toEqual({ bootId, stdout: COMMITTED });
  const keeping = after.keep({ idleMs: NEVER_MS, collectAfterMs: 0, stopIdleEveryMs: NEVER_MS });
  await expect.poll(() => after.backend.hasWorkspace(left), WAIT).toBe(false);
  keeping.stop();
  expect(await after.look(id)).toEqual({ bootId, stdout: COMMITTED });
});

test("a spare whose conversation has no command is stopped as others are, and a later command has the files", async () => {
  const home = await newHome();
  const before = await openServer(home);
  const id = await before.claimSpare();
  const bootId = (await find(before, id))?.bootId;
  const first = before.keep({ idleMs: 0, collectAfterMs: NEVER_MS, stopIdleEveryMs: 20 });
  await expect.poll(() => find(before, id), WAIT).toBeUndefined();
  first.stop();
  const later = await before.look(id);
  expect(later).toEqual({ bootId: expect.any(String), stdout: COMMITTED });
  expect(later.bootId).not.toBe(bootId);
  const second = await before.claimSpare();
  await before.close();

  const after = await openServer(home);
  const keeping = after.keep({ idleMs: NEVER_MS, collectAfterMs: 0, stopIdleEveryMs: NEVER_MS });
  await expect.poll(() => find(after, second), WAIT).toBeUndefined();
  keeping.stop();
  expect((await after.look(second)).stdout).toBe(COMMITTED);
});
