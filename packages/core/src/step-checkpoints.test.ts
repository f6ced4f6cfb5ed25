import type { KeptSnapshot } from "@handrail/protocol/checkpoints";
import type { FileChange } from "@handrail/protocol/changes";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { createJournal } from "./journal.ts";
import type { Model } from "./ports/model.ts";
import type { Snapshots, StepWanted } from "./ports/snapshots.ts";
import type { RunPorts } from "./run-ports.ts";
import { stepCheckpoints } from "./step-checkpoints.ts";
import { sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { runFixture } from "./testing/run-fixture.ts";
import { scriptedModel } from "./testing/scripted-model-port.ts";
import { scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const STARTED: ConversationEvent = {
  type: "sandbox.started",
  sandboxId: `x_${"0".repeat(20)}`,
  backend: "process",
  bootId: "boot-1",
  durationMs: 1,
};
const NOTE: ConversationEvent = { type: "notice.added", audience: "user", code: "note", text: "Something happened." };
const root = (number: number) => String(number).padStart(64, "0");

function snapshot(of: number, more: Partial<KeptSnapshot> = {}): KeptSnapshot {
  const sums = { files: 1, bytes: 1, newBytes: 1, durationMs: 1, leftOut: [], leftOutCount: 0 };
  return { root: root(of), reason: "step", ...sums, ...more };
}

/** Snapshots that are taken when the test says so; each as `keepStep` of the server would answer. */
function byHand() {
  const forgotten: string[] = [];
  const asked: {
    readonly wanted: StepWanted;
    give(of: number, whileStored?: () => void): void;
    fail(thrown: unknown): void;
  }[] = [];
  const snapshots: Snapshots = {
    keep: async (_state, _sandbox, { reason }) => snapshot(999, { reason }),
    keepStep(_state, _sandbox, wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<KeptSnapshot | undefined>();
      const give = (of: number, whileStored = () => {}) => {
        const taken = async () => {
          if (wanted.isStill()) await wanted.compare();
          const isStill = wanted.isStill();
          whileStored();
          return isStill ? snapshot(of, { asOf: wanted.asOf }) : undefined;
        };
        resolve(taken());
      };
      asked.push({ wanted, give, fail: reject });
      return promise;
    },
    rootNow: async () => root(999),
    forgetStep: async (_state, checkpointId) => void forgotten.push(checkpointId),
    restore: async () => ({ written: 0, removed: 0, failed: [] }),
  };
  return { asked, forgotten, snapshots };
}

async function world(changes: readonly FileChange[] = []) {
  const clock = testClock({ skipUpToMs: 0 });
  const store = memoryLogStore();
  const journal = await createJournal(store, clock, sampleCreated());
  await journal.commit(() => [STARTED]);
  const { asked, forgotten, snapshots } = byHand();
  let next = 0;
  const unforeseen: unknown[] = [];
  const leave = new AbortController();
  const sandbox = scriptedSandbox({ "workspace.changes": () => ({ tree: "t1", changes: [...changes] }) });
  const ports: RunPorts = {
    journal,
    store,
    clock,
    snapshots,
    model: async () => scriptedModel([]),
    sandbox: async () => sandbox,
    random: () => 1,
    newId: (prefix) => `${prefix}_${String(next++).padStart(20, "0")}`,
    emit: () => undefined,
    onUnforeseen: (thrown) => void unforeseen.push(thrown),
  };
  const keeper = stepCheckpoints(ports, leave.signal);
  const step = async () => {
    keeper.callsBegin();
    await journal.commit(() => [NOTE]);
    keeper.callsEnded();
    return journal.state.head;
  };
  const checkpoints = async () =>
    (await store.read(journal.state.id, -1, 1000)).flatMap(({ event }) =>
      event.type === "workspace.checkpointed" ? [[event.snapshot?.root, event.snapshot?.asOf]] : [],
    );
  return { clock, journal, store, asked, forgotten, keeper, step, checkpoints, unforeseen, leave };
}

/** Until the work that can go on without time has gone on. */
async function settled() {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

test("what a step left is kept when its time has come, as of the step's last event", async () => {
  const { clock, asked, step, checkpoints, keeper } = await world();
  const asOf = await step();
  await settled();
  expect(asked).toEqual([]);
  clock.advance(1000);
  await settled();
  asked[0]?.give(1);
  await settled();
  expect(await checkpoints()).toEqual([[root(1), asOf]]);
  await keeper.close();
});

test("one is under way at a time, at most one in a second, and of the wishes meanwhile only the newest counts", async () => {
  const { clock, asked, step, checkpoints, keeper } = await world();
  await step();
  clock.advance(1000);
  await settled();
  await step();
  const newest = await step();
  await settled();
  expect(asked).toHaveLength(1);
  asked[0]?.give(1);
  await settled();
  clock.advance(999);
  await settled();
  expect(asked).toHaveLength(1);
  clock.advance(1);
  await settled();
  expect(asked.map(({ wanted }) => wanted.asOf)).toEqual([expect.any(Number), newest]);
  asked[1]?.give(2);
  await settled();
  // The files of the first were changed by the second step before they were looked at.
  expect(await checkpoints()).toEqual([[root(2), newest]]);
  await keeper.close();
});

test("what is told of a step's files is what they were, though the next call changes more while they are stored", async () => {
  const file = (path: string) => ({ path, status: "added", binary: true }) as const;
  const files = [file("one")];
  const { clock, asked, step, store, journal, keeper } = await world(files);
  const asOf = await step();
  clock.advance(1000);
  await settled();
  asked[0]?.give(1, () => {
    keeper.callsBegin();
    files.push(file("two"));
  });
  await settled();
  const [last] = (await store.read(journal.state.id, journal.state.head - 1, 1)).map(({ event }) => event);
  expect(last).toMatchObject({ type: "workspace.checkpointed", changes: [file("one")], snapshot: { asOf } });
  await keeper.close();
});

test("a wish whose files later calls are changing is dropped", async () => {
  const { clock, asked, step, keeper } = await world();
  await step();
  keeper.callsBegin();
  clock.advance(1000);
  await settled();
  expect(asked).toEqual([]);
  keeper.callsEnded();
  await settled();
  expect(asked).toHaveLength(1);
  asked[0]?.give(1);
  await keeper.close();
});

test("what was kept meanwhile is not overtaken by what is older, which is forgotten", async () => {
  const { clock, asked, forgotten, journal, step, checkpoints, keeper } = await world();
  await step();
  clock.advance(1000);
  await settled();
  const checkpointId = "p_user0000000000000000";
  const kept = snapshot(7, { reason: "user" });
  await journal.commit(() => [{ type: "workspace.checkpointed", checkpointId, tree: "", changes: [], snapshot: kept }]);
  asked[0]?.give(1);
  await settled();
  expect(await checkpoints()).toEqual([[root(7), undefined]]);
  expect(journal.state.snapshots.latest).toEqual({ checkpointId, root: root(7) });
  expect(forgotten).toEqual([asked[0]?.wanted.checkpointId]);
  await keeper.close();
});

test("a failure is not told, and the next try waits for a minute", async () => {
  const { clock, asked, step, journal, unforeseen, keeper } = await world();
  await step();
  clock.advance(1000);
  await settled();
  const before = journal.state.head;
  asked[0]?.fail(new AppError("checkpoints_unavailable", "The store does not answer."));
  await settled();
  expect([journal.state.head, unforeseen]).toEqual([before, []]);
  await step();
  clock.advance(59_999);
  await settled();
  expect(asked).toHaveLength(1);
  clock.advance(1);
  await settled();
  expect(asked).toHaveLength(2);
  asked[1]?.give(2);
  await keeper.close();
});

test("closing waits for the one under way and takes no more, and a driver that leaves does not wait", async () => {
  const one = await world();
  await one.step();
  one.clock.advance(1000);
  await settled();
  await one.step();
  let closed = false;
  const closing = one.keeper.close().then(() => (closed = true));
  await settled();
  expect(closed).toBe(false);
  one.asked[0]?.fail(new AppError("checkpoints_unavailable", "The store does not answer."));
  await closing;
  expect(one.asked).toHaveLength(1);

  const other = await world();
  await other.step();
  other.leave.abort();
  await other.keeper.close();
  expect(other.asked).toEqual([]);
});

test("the loop goes on while the files of a step are kept, and a run ends with a checkpoint of its own", async () => {
  const { asked, snapshots } = byHand();
  const terminal = (command: string) => ({ tool: "terminal", arguments: { command } });
  const scripted = scriptedModel([{ calls: [terminal("one")] }, { text: "done" }]);
  const model: Model = {
    ...scripted,
    async *stream(request, signal) {
      // The step's snapshot is under way while the model is asked, and ends while it answers.
      while (scripted.requests.length === 1 && asked.length === 0) await settled();
      asked[0]?.give(1);
      yield* scripted.stream(request, signal);
    },
  };
  const fixture = await runFixture({ model, snapshots });
  await fixture.run("go");
  const log = await fixture.log();
  const callEnded = log.find(({ event }) => event.type === "call.ended")?.seq;
  const kept = (await fixture.events("workspace.checkpointed")).map((event) => event.snapshot);
  expect(kept.map((one) => [one?.reason, one?.root, one?.asOf])).toEqual([
    ["step", root(1), callEnded],
    ["run", root(999), undefined],
  ]);
  expect(log.at(-1)?.event.type).toBe("workspace.checkpointed");
});

test.each([100, 101])(
  "changes are told after a step unless they are too many to be told again and again (%i)",
  async (count) => {
    const changes = Array.from(
      { length: count },
      (_, file) => ({ path: `f${file}`, status: "added", binary: true }) as const,
    );
    const { clock, asked, forgotten, store, step, journal, keeper } = await world(changes);
    await step();
    clock.advance(1000);
    await settled();
    asked[0]?.give(1);
    await settled();
    const [last] = (await store.read(journal.state.id, journal.state.head - 1, 1)).map(({ event }) => event);
    const told = { type: "workspace.checkpointed", checkpointId: asked[0]?.wanted.checkpointId, tree: "t1" };
    const snapshot = expect.objectContaining({ root: root(1) });
    expect(last).toEqual(
      count > 100
        ? { ...told, counts: { files: count, added: 0, removed: 0 }, snapshot }
        : { ...told, changes, snapshot },
    );
    expect(journal.state.changes).toEqual(count > 100 ? [] : changes);
    expect(forgotten).toEqual([]);
    await keeper.close();
  },
);
