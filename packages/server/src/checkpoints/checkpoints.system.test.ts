import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { driveRun } from "@handrail/core/drive-run";
import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { Model } from "@handrail/core/ports/model";
import { messageEvents } from "@handrail/core/start-run";
import { scriptedModel } from "@handrail/core/testing/scripted-model-port";
import type { StoredEvent } from "@handrail/protocol/events";
import { containerdBackend } from "@handrail/sandboxes/containerd/containerd-backend";
import { dockerBackend } from "@handrail/sandboxes/docker/docker-backend";
import { noneBackend } from "@handrail/sandboxes/none/none-backend";
import { once } from "@handrail/sandboxes/once";
import { processBackend } from "@handrail/sandboxes/process/process-backend";
import { canRunContainerd } from "@handrail/sandboxes/testing/containerd-daemon";
import { runtimeUnderTest } from "@handrail/sandboxes/testing/containerd-root";
import { forgetInDocker } from "@handrail/sandboxes/testing/forget-installation";
import { builtPrograms } from "@handrail/sandboxes/testing/test-programs";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { checkpointBench, type MakeBackend } from "../testing/checkpoint-bench.ts";

const signal = AbortSignal.timeout(600_000);
const ends: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  await forgetInDocker(common.installation);
});

const common = {
  installation: `ck${process.pid}`,
  sandboxdDirectory: builtPrograms(),
  limits: { cpus: 2, memoryBytes: 512 * 1024 ** 2, processes: 200 },
  egress: () => undefined,
};

/** It is started for the first test that asks for it. */
const containerd = once(async () => {
  const daemon = await runtimeUnderTest();
  ends.push(() => daemon.dispose());
  return daemon.address;
});

const BACKENDS: readonly (readonly [string, MakeBackend])[] = [
  ["none", (directory) => noneBackend({ ...common, directory })],
  ["process", (directory) => processBackend({ ...common, directory })],
  ["docker", () => dockerBackend({ ...common, host: undefined, defaultImage: undefined })],
  ...((await canRunContainerd()) ? ([["containerd", inContainerd]] as const) : []),
];

/**
 * What `find` tells of a workspace, exact to the nanosecond, and the sum of each file's content. Git itself sets the
 * times of objects anew when it meets them again.
 */
const DESCRIBE = `find . -path ./.git/objects -prune -o -printf '%p %y %m %T@ %l %n\\n' | sort; find . -type f -print0 | sort -z | xargs -0 -r md5sum`;
const FILL = `
mkdir -p deep/er .cache; printf 'one\\n' > a.txt; printf 'two\\n' > deep/er/b.txt; printf 'x' > "$(printf 'n\\377n')"
ln a.txt deep/twin; ln -s ../a.txt deep/link; ln -s /etc/passwd away; mkfifo pipe; chmod 640 a.txt; chmod 755 deep/er/b.txt
echo ignored > .cache/ignored; touch -h -d '2020-02-02 02:02:02.123456789' deep/link deep/er; mkdir empty; chmod 700 empty`;
const CHANGE = `
printf 'changed\\n' > a.txt; rm deep/er/b.txt; rm deep/link; mkdir deep/link; echo in > deep/link/in; mv away gone
rm deep/twin; echo now > deep/twin; rmdir empty; echo file > empty; echo fresh > fresh; rm pipe; chmod 600 "$(printf 'n\\377n')"`;

async function inContainerd(directory: string) {
  return containerdBackend({ ...common, directory, address: await containerd() });
}

async function world(make: MakeBackend) {
  const bench = await checkpointBench(make, signal);
  ends.push(bench.close);
  return bench;
}

const eventsOf = (stored: readonly StoredEvent[]) => stored.map(({ event }) => event.type);

describe.each(BACKENDS)("checkpoints in %s sandboxes", (_name, make) => {
  test("are restored exactly, can be undone, and tell what differs", async () => {
    const { checkpoints, create, shell, changes } = await world(make);
    const journal = await create();
    const { id } = journal.state;
    await shell(journal, FILL);
    const first = await checkpoints.create(id, signal);
    const before = await shell(journal, DESCRIBE);
    const changesBefore = await changes(journal);
    await shell(journal, CHANGE);
    const after = await shell(journal, DESCRIBE);
    expect(after).not.toBe(before);

    const { undo, failed } = await checkpoints.restore(id, { checkpointId: first.checkpointId }, signal);
    expect(failed).toEqual([]);
    expect(await shell(journal, DESCRIBE)).toBe(before);
    expect(await changes(journal)).toEqual(changesBefore);
    await checkpoints.restore(id, { checkpointId: undo }, signal);
    expect(await shell(journal, DESCRIBE)).toBe(after);

    const range = { from: first.checkpointId, to: undo };
    const told = (await checkpoints.compare(id, range)).changes.map(({ path, status }) => `${status} ${path}`);
    expect(told).toEqual([
      "modified a.txt",
      "deleted away",
      "deleted deep/er/b.txt",
      "added deep/link/in",
      "deleted deep/link",
      "type deep/twin",
      "added empty",
      "added fresh",
      "added gone",
      "modified n\\xffn",
      "deleted pipe",
    ]);
    expect(await checkpoints.file(id, { ...range, path: "a.txt" })).toEqual({
      before: btoa("one\n"),
      after: btoa("changed\n"),
      binary: false,
    });
    expect((await checkpoints.list(id)).map(({ reason }) => reason)).toEqual(["restore", "restore", "user", "start"]);
  });

  test("bring a conversation back whose sandbox and workspace are gone, with the same changes", async () => {
    const { backend, store, checkpoints, create, shell, changes } = await world(make);
    const journal = await create();
    const { id } = journal.state;
    await shell(journal, FILL);
    await shell(journal, "printf 'begun, changed\\n' > begun.txt; git add begun.txt");
    await checkpoints.create(id, signal);
    const before = await shell(journal, DESCRIBE);
    const changesBefore = await changes(journal);

    await backend.remove(id);
    expect(await backend.hasWorkspace(id)).toBe(false);
    expect(await shell(journal, DESCRIBE)).toBe(before);
    expect(await changes(journal)).toEqual(changesBefore);
    const told = eventsOf(await store.read(id, -1, 1000));
    expect(told.slice(told.indexOf("workspace.lost"))).toEqual([
      "workspace.lost",
      "sandbox.lost",
      "sandbox.started",
      "workspace.restored",
      "notice.added",
    ]);
  });

  test("make a fork that goes its own way and outlives its origin", async () => {
    const { backend, checkpoints, create, shell, changes, kept, newId: id } = await world(make);
    const origin = await create();
    await shell(origin, FILL);
    const point = await checkpoints.create(origin.state.id, signal);
    const before = await shell(origin, DESCRIBE);
    const changesBefore = await changes(origin);
    await shell(origin, CHANGE);

    const { fork } = await checkpoints.prepareFork(origin.state.id, { checkpointId: point.checkpointId }, id("c"));
    const forked = await create({ fork });
    await kept.lineages.use(fork.lineage, async (lineage) => {
      for (const at of [fork.start, fork.from])
        await lineage.references.add({ conversationId: forked.state.id, ...at });
    });
    expect(await shell(forked, DESCRIBE)).toBe(before);
    const changesOfFork = await changes(forked);
    expect([changesOfFork, fork.changes]).toEqual([changesBefore, changesBefore]);

    await kept.release(origin.state.snapshots.lineage, origin.state.id);
    await backend.remove(forked.state.id);
    expect(await shell(forked, DESCRIBE)).toBe(before);
  });
});

test("files are not restored while a run is under way, and can be once it has ended", async () => {
  const { checkpoints, create, shell, store, newId } = await world((directory) =>
    noneBackend({ ...common, directory }),
  );
  const journal = await create();
  const { id } = journal.state;
  await shell(journal, "echo one > a.txt");
  const { checkpointId } = await checkpoints.create(id, signal);
  await shell(journal, "echo two > a.txt");
  const runId = newId("r");
  await journal.commit(() => [{ type: "run.started", runId, messageId: newId("m"), limits: {} }]);
  const before = await store.read(id, -1, 1000);
  await expect(checkpoints.restore(id, { checkpointId }, signal)).rejects.toMatchObject({
    code: "run_active",
  });
  expect(await store.read(id, -1, 1000)).toEqual(before);
  expect(await shell(journal, "cat a.txt")).toBe("two\n");

  await journal.commit(() => [{ type: "run.ended", runId, outcome: "done", detail: "" }]);
  await checkpoints.restore(id, { checkpointId }, signal);
  expect(await shell(journal, "cat a.txt")).toBe("one\n");
});

test("a run's files are kept after its steps, and are restored and forked as they were at any event", async () => {
  const { checkpoints, create, open, shell, store, kept, newId } = await world((directory) =>
    noneBackend({ ...common, directory }),
  );
  const journal = await create();
  const { id } = journal.state;
  const write = (word: string) => [{ tool: "terminal", arguments: { command: `echo ${word} > a.txt` } }];
  const scripted = scriptedModel([{ calls: write("one") }, { calls: write("two") }, { calls: write("three") }]);
  const waits = [Promise.resolve(), ...stepsKept(journal, 3)];
  const model: Model = {
    ...scripted,
    async *stream(request, stop) {
      // Each answer waits until the step before it is kept.
      await waits.shift();
      yield* scripted.stream(request, stop);
    },
  };
  const content = [{ type: "text", text: "go" }] as const;
  const message = { messageId: newId("m"), userId: "local", content, runId: newId("r") };
  await journal.commit((state) => messageEvents(state, message));
  const ports = { journal, store, snapshots: kept.snapshots, clock: hastyClock(), newId, random: Math.random };
  const told = { emit: () => undefined, onUnforeseen: () => undefined };
  const never = new AbortController().signal;
  await driveRun(
    { ...ports, ...told, model: async () => model, sandbox: () => open(journal) },
    { stop: never, leave: never },
  );
  const ended = (await store.read(id, -1, 1000)).filter(({ event }) => event.type === "call.ended");
  const [one = 0, two = 0, three = 0] = ended.map(({ seq }) => seq);
  const steps = (await checkpoints.list(id)).filter(({ reason }) => reason === "step").map(({ asOf }) => asOf);
  expect(steps).toEqual([three, two, one]);

  // An event within the second step means what the first left.
  expect(await checkpoints.restore(id, { seq: two - 1 }, signal)).toMatchObject({ asOf: one, failed: [] });
  expect(await shell(journal, "cat a.txt")).toBe("one\n");
  const differ = await checkpoints.compare(id, { from: String(two - 1), to: String(three) });
  expect([differ.from.asOf, differ.to.asOf, differ.changes]).toEqual([
    one,
    three,
    [{ path: "a.txt", status: "modified", binary: false }],
  ]);
  const { fork, asOf } = await checkpoints.prepareFork(id, { seq: two }, newId("c"));
  expect(asOf).toBe(two);
  expect(await shell(await create({ fork }), "cat a.txt")).toBe("two\n");
});

/** Promises of the first checkpoints of steps in the log. */
function stepsKept(journal: Journal, count: number): Promise<void>[] {
  const waiting = Array.from({ length: count }, () => Promise.withResolvers<void>());
  const open = [...waiting];
  journal.onEvents((events) => {
    for (const { event } of events) {
      if (event.type === "workspace.checkpointed" && event.snapshot?.reason === "step") open.shift()?.resolve();
    }
  });
  return waiting.map(({ promise }) => promise);
}

/** Time moves on by itself where a few seconds would be waited for. */
function hastyClock(): Clock {
  let skippedMs = 0;
  return {
    now: () => systemClock.now() + skippedMs,
    async sleep(ms, stop) {
      if (ms > 10_000) return systemClock.sleep(ms, stop);
      skippedMs += ms;
    },
  };
}

test("what is stored is encrypted, is shared within a family alone, and goes with its last conversation", async () => {
  const { directory, kept, checkpoints, create, shell } = await world((place) =>
    noneBackend({ ...common, directory: place }),
  );
  const [one, other] = [await create(), await create()];
  await shell(one, "seq 1 20000 > secret.txt");
  const { newBytes } = await checkpoints.create(one.state.id, signal);
  await shell(other, "seq 1 20000 > secret.txt");
  const again = await checkpoints.create(other.state.id, signal);
  // The same file in another family is stored again: nobody learns that it was there.
  expect(again.newBytes).toBeGreaterThan(newBytes / 2);
  const files = readdirSync(join(directory, "store"), { recursive: true, withFileTypes: true });
  const contents = files.filter((file) => file.isFile()).map((file) => readFileSync(join(file.parentPath, file.name)));
  expect(contents.length).toBeGreaterThan(0);
  expect(contents.some((bytes) => bytes.includes("secret.txt") || bytes.includes("19999"))).toBe(false);
  for (const journal of [one, other]) await kept.release(journal.state.snapshots.lineage, journal.state.id);
  expect(await kept.lineages.ids()).toEqual([]);
});
