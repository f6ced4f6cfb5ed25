import type { ConversationEvent, StoredEvent } from "@handrail/protocol/events";
import type { Delta } from "@handrail/protocol/deltas";
import type { IdPrefix } from "@handrail/protocol/ids";
import type { Limits } from "@handrail/protocol/limits";
import { driveRun } from "../drive-run.ts";
import { createJournal, type Journal, openJournal } from "../journal.ts";
import { openSandbox } from "../open-sandbox.ts";
import type { LogStore } from "../ports/log-store.ts";
import type { Model } from "../ports/model.ts";
import type { Sandbox, SandboxBackend } from "../ports/sandbox.ts";
import type { Snapshots } from "../ports/snapshots.ts";
import { messageEvents } from "../start-run.ts";
import { SAMPLE_ID, sampleCreated } from "./log-samples.ts";
import { memoryLogStore } from "./memory-log-store.ts";
import { scriptedSandbox } from "./scripted-sandbox.ts";
import { type TestClock, testClock } from "./test-clock.ts";

type Setup = {
  readonly model: Model;
  readonly sandboxes?: readonly Sandbox[];
  readonly limits?: Limits;
  readonly runLimits?: Limits;
  readonly clock?: TestClock;
  readonly snapshots?: Snapshots;
};

/** A conversation over scripted ports, with the loop ready to be driven: as a server holds it, without the server. */
export type RunFixture = {
  readonly store: LogStore;
  readonly clock: TestClock;
  readonly journal: Journal;
  readonly deltas: Delta[];
  /** What the loop told its server of failures that it did not foresee. */
  readonly unforeseen: unknown[];
  readonly stop: AbortController;
  readonly leave: AbortController;
  /** Says this and drives the run to its end. */
  run(text: string): Promise<void>;
  say(text: string): Promise<void>;
  drive(): Promise<void>;
  /** Another process takes over, with nothing but the log. */
  successor(change?: Partial<Setup>): Promise<RunFixture>;
  log(): Promise<readonly StoredEvent[]>;
  /** The log's events of these types. */
  events<Type extends ConversationEvent["type"]>(
    ...types: readonly Type[]
  ): Promise<readonly Extract<ConversationEvent, { type: Type }>[]>;
};

export async function runFixture(setup: Setup): Promise<RunFixture> {
  const clock = setup.clock ?? testClock();
  const store = memoryLogStore();
  const limits = { limits: setup.limits ?? {}, runLimits: setup.runLimits ?? {} };
  const journal = await createJournal(store, clock, sampleCreated(limits));
  return fixtureOver(store, journal, clock, setup);
}

function fixtureOver(store: LogStore, journal: Journal, clock: TestClock, setup: Setup): RunFixture {
  const deltas: Delta[] = [];
  const unforeseen: unknown[] = [];
  const stop = new AbortController();
  const leave = new AbortController();
  const newId = ids(journal.state.head + 1);
  const backend = scriptedBackend(setup.sandboxes ?? [scriptedSandbox()], journal.state.workspace !== null);
  const seed = async () => ({ directory: "/seed", dispose: async () => undefined });
  const ports = {
    journal,
    store,
    clock,
    newId,
    model: async () => setup.model,
    sandbox: (signal: AbortSignal) =>
      openSandbox(
        { journal, backend, prepareSeed: seed, fillWorkspace: async () => undefined, clock },
        () => undefined,
        signal,
      ),
    ...(setup.snapshots === undefined ? {} : { snapshots: setup.snapshots }),
    random: () => 1,
    emit: (delta: Delta) => void deltas.push(delta),
    onUnforeseen: (thrown: unknown) => void unforeseen.push(thrown),
  };
  const drive = () => driveRun(ports, { stop: stop.signal, leave: leave.signal });
  const say = async (text: string) => {
    const content = [{ type: "text", text }] as const;
    const message = { messageId: newId("m"), userId: "local", content, runId: newId("r") };
    await journal.commit((state) => messageEvents(state, message));
  };
  return {
    store,
    clock,
    journal,
    deltas,
    unforeseen,
    stop,
    leave,
    say,
    drive,
    async run(text) {
      await say(text);
      await drive();
    },
    async successor(change = {}) {
      return fixtureOver(store, await openJournal(store, clock, SAMPLE_ID), clock, { ...setup, ...change });
    },
    log: () => store.read(SAMPLE_ID, -1, 10_000),
    async events(...types) {
      const all = await store.read(SAMPLE_ID, -1, 10_000);
      const wanted = all
        .map((stored) => stored.event)
        .filter((event) => (types as readonly string[]).includes(event.type));
      return wanted as never;
    },
  };
}

/** Gives the sandboxes one after another: the next when the one before is gone. */
function scriptedBackend(sandboxes: readonly Sandbox[], seeded: boolean): SandboxBackend {
  const waiting = [...sandboxes];
  let current: Sandbox | undefined;
  let workspace = seeded;
  return {
    name: "process",
    health: async () => ({ name: "process", works: true, detail: "scripted", profiles: ["strict", "default", "dev"] }),
    hasWorkspace: async () => workspace,
    async find() {
      return current;
    },
    async start() {
      workspace = true;
      const next = waiting.shift();
      if (next === undefined) throw new Error("No more sandboxes are scripted.");
      current = next;
      next.gone.then(() => (current = undefined)).catch(() => undefined);
      return next;
    },
    stop: async () => undefined,
    remove: async () => undefined,
    collect: async () => undefined,
    close: async () => undefined,
  };
}

/** Ids that count up, so that whole logs can be compared. */
function ids(from: number) {
  let next = from * 1000;
  return (prefix: IdPrefix) => `${prefix}_${String(next++).padStart(20, "0")}`;
}
