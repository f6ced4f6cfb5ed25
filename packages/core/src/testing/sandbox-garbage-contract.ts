import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeptConversations, SandboxBackend } from "../ports/sandbox.ts";
import { churnedConversation } from "./churned-conversation.ts";
import { type Leftovers, newIn, thingsIn } from "./leftovers.ts";
import { freshConversation, NO_NETWORK } from "./sandbox-bench.ts";

/** How a suite gets at servers that it may kill, and at what they leave. */
export type GarbageUnderTest = {
  /** A backend of an installation, as a new server process would make it. */
  readonly open: (installation: string) => Promise<SandboxBackend>;
  /**
   * A process of its own that starts, stops and removes sandboxes of `churnedConversation`s. Given once it has begun.
   * `kill` ends it with SIGKILL, after that many milliseconds.
   */
  readonly churn: (installation: string) => Promise<{ readonly kill: (afterMs: number) => Promise<void> }>;
  /** How many servers are killed, and when at the latest, in milliseconds from when one begins. */
  readonly rounds: number;
  readonly latestMs: number;
  readonly leftovers: (installation: string) => Promise<Leftovers>;
  /**
   * Names of what there is whoever made it, networks for instance, as far as nobody else makes such things meanwhile. Absent: others
   * may make all of it.
   */
  readonly surroundings?: (() => Promise<Leftovers>) | undefined;
  /** What there is of conversations that go on which is no sandbox, nor what the next one will start on. */
  readonly halfMade: (installation: string) => Promise<readonly unknown[]>;
  /** Makes what is not the installation's, by names and labels that are much like those of what is. */
  readonly strangers: (installation: string, conversationId: string) => Promise<Strangers>;
  /** A signal that aborts after that time. */
  readonly within: (timeoutMs: number) => AbortSignal;
  readonly dispose: () => Promise<void>;
};

export type Strangers = {
  /** All that can be told of them. */
  readonly look: () => Promise<unknown>;
  readonly remove: () => Promise<void>;
};

/** More than are made before a server is killed. */
const ALL = new Set(Array.from({ length: 1000 }, (_, round) => churnedConversation(round)));
const PATIENCE_MS = 60_000;
const LONG_MS = 240_000;

/** What no server leaves that was killed, and what none touches. */
export function sandboxGarbageContract(name: string, make: () => Promise<GarbageUnderTest>): void {
  describe(`${name}, tidied up`, () => {
    let under: GarbageUnderTest | undefined;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(() => under?.dispose());
    const made = () => {
      if (under === undefined) throw new Error("The backend was not made.");
      return under;
    };
    test("whenever a server is killed, the next one leaves nothing of its sandboxes", { timeout: LONG_MS }, () =>
      expectNothingLeft(made()),
    );
    test("what another made stays as it is, however much it looks like what goes", () => expectStrangersKept(made()));
  });
}

/**
 * At once, or after a daemon has ended what it was asked for before. First with conversations that go on, of which sandboxes
 * that run and workspaces are left, then without.
 */
async function expectNothingLeft(under: GarbageUnderTest): Promise<void> {
  const { rounds, latestMs, churn, halfMade, leftovers, surroundings } = under;
  const installation = newInstallation();
  const before = await surroundings?.();
  const kept = async () => {
    await collect(under, installation, ALL);
    return halfMade(installation);
  };
  const tidied = async () => {
    await collect(under, installation, new Set());
    return thingsIn(await leftovers(installation));
  };
  for (let round = 0; round < rounds; round++) {
    const server = await churn(installation);
    await server.kill(Math.random() * latestMs);
    await expect.poll(kept).toEqual([]);
    await expect.poll(tidied).toEqual([]);
  }
  await expect.poll(async () => newIn((await surroundings?.()) ?? {}, before ?? {})).toEqual([]);
}

async function expectStrangersKept(under: GarbageUnderTest): Promise<void> {
  const { open, strangers, leftovers, within } = under;
  const installation = newInstallation();
  const conversationId = freshConversation();
  const backend = await open(installation);
  const choice = { backend: backend.name, network: NO_NETWORK } as const;
  const spec = { conversationId, choice, seedDirectory: undefined };
  await backend.start(spec, () => undefined, within(PATIENCE_MS));
  const others = await strangers(installation, conversationId);
  try {
    const before = await others.look();
    expect(before).not.toEqual([]);
    await backend.stop(conversationId);
    await backend.start(spec, () => undefined, within(PATIENCE_MS));
    await backend.remove(conversationId);
    expect(await others.look()).toEqual(before);
    await backend.collect(new Set());
    await backend.close();
    expect(await others.look()).toEqual(before);
    await expect.poll(async () => thingsIn(await leftovers(installation))).toEqual([]);
  } finally {
    await others.remove();
  }
}

async function collect({ open }: GarbageUnderTest, installation: string, keep: KeptConversations): Promise<void> {
  const next = await open(installation);
  await next.collect(keep);
  await next.close();
}

const newInstallation = () => `t${freshConversation().slice(-8)}`;
