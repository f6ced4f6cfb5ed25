import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Sandbox } from "@handrail/core/ports/sandbox";
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
const CHOICE: SandboxChoice = { backend: "process", network: { type: "none" } };
/** Longer than any test. */
const NEVER_MS = 3_600_000;
const WAIT = { timeout: 30_000 };

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
    await rm(home, { recursive: true, force: true });
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
      const idFor = () => newId("c", Date.now());
      const { id } = await createConversation({ ...parts, idFor }, wanted, soon());
      await host.sandboxes.open(await host.journals.get(id), () => undefined, soon());
      return id;
    },
    keep: (times: { readonly idleMs: number; readonly collectAfterMs: number; readonly stopIdleEveryMs: number }) =>
      housekeeping({ ...state, host, setup: config.setup, ...times }),
  };
}

type Server = Awaited<ReturnType<typeof openServer>>;

const soon = () => AbortSignal.timeout(30_000);
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

test("what no conversation has is collected at the start; conversations, spares and other servers' stay", async () => {
  const [server, other] = [await openServer(await newHome()), await openServer(await newHome())];
  const kept = await server.startSandbox();
  const others = await other.startSandbox();
  const left = newId("c", Date.now());
  const spec = { conversationId: left, choice: CHOICE, seedDirectory: undefined };
  await server.backend.start(spec, () => undefined, soon());
  server.host.pool.idFor(CHOICE, EMPTY);
  await expect.poll(() => server.host.pool.waiting, WAIT).toBe(1);

  const keeping = server.keep({ idleMs: NEVER_MS, collectAfterMs: 0, stopIdleEveryMs: NEVER_MS });
  await expect.poll(() => server.backend.hasWorkspace(left), WAIT).toBe(false);
  keeping.stop();
  const spare = server.host.pool.idFor(CHOICE, EMPTY);
  const running = await Promise.all([find(server, left), find(server, kept), find(server, spare), find(other, others)]);
  expect(running.map((sandbox) => sandbox !== undefined)).toEqual([false, true, true, true]);
  await server.host.pool.close();
});
