import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { createJournal } from "./journal.ts";
import { openSandbox } from "./open-sandbox.ts";
import type { Sandbox, SandboxBackend } from "./ports/sandbox.ts";
import type { Seed } from "./ports/workspace-seed.ts";
import { SAMPLE_ID, sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const never = new AbortController().signal;

const fillWorkspace = async () => undefined;

async function conversation(changes: Parameters<typeof sampleCreated>[0] = {}) {
  const clock = testClock();
  const store = memoryLogStore();
  const journal = await createJournal(store, clock, sampleCreated(changes));
  return { clock, journal, fillWorkspace, events: () => store.read(SAMPLE_ID, 0, 100) };
}

function backend(change: Partial<SandboxBackend>): SandboxBackend {
  const nothing = async () => undefined;
  return {
    name: "process",
    health: async () => ({ name: "process", works: true, detail: "", profiles: [] }),
    hasWorkspace: async () => false,
    find: nothing,
    start: async () => scriptedSandbox(),
    stop: nothing,
    remove: nothing,
    collect: nothing,
    close: nothing,
    ...change,
  };
}

test("the first sandbox gets the seed, and the seed is disposed of, also when the start fails", async () => {
  const { clock, journal } = await conversation();
  const seeds: (string | undefined)[] = [];
  let disposed = 0;
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => void (disposed += 1) });
  const start: SandboxBackend["start"] = async (spec) => {
    seeds.push(spec.seedDirectory);
    if (seeds.length === 1) throw new AppError("sandbox_failed", "no");
    return scriptedSandbox();
  };
  const open = () =>
    openSandbox({ journal, backend: backend({ start }), prepareSeed, clock, fillWorkspace }, () => undefined, never);

  await expect(open()).rejects.toMatchObject({ code: "sandbox_failed" });
  await open();

  expect({ seeds, disposed }).toEqual({ seeds: ["/seed", "/seed"], disposed: 2 });
  expect(journal.state.workspace).toEqual({ commit: undefined, branch: undefined, files: 0 });
});

test("a workspace that has vanished is said to be gone, not replaced by an empty one", async () => {
  const { clock, journal } = await conversation();
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => undefined });
  const ports = { journal, backend: backend({}), prepareSeed, clock, fillWorkspace };
  await openSandbox(ports, () => undefined, never);

  await expect(openSandbox(ports, () => undefined, never)).rejects.toMatchObject({ code: "workspace_gone" });
});

test("a sandbox of another version is replaced on its workspace, and one that cannot be reached is not", async () => {
  const { clock, journal, events } = await conversation();
  const started: (string | undefined)[] = [];
  let code: "sandboxd_mismatch" | "backend_unavailable" | undefined;
  const machine = backend({
    hasWorkspace: async () => started.length > 0,
    async find() {
      if (code !== undefined) throw new AppError(code, "no");
    },
    async start({ seedDirectory }) {
      started.push(seedDirectory);
      return scriptedSandbox({}, `boot-${started.length}`);
    },
  });
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => undefined });
  const open = () =>
    openSandbox({ journal, backend: machine, prepareSeed, clock, fillWorkspace }, () => undefined, never);
  await open();
  code = "sandboxd_mismatch";
  await open();
  expect(started).toEqual(["/seed", undefined]);
  expect((await events()).map(({ event }) => event.type).slice(-2)).toEqual(["sandbox.lost", "sandbox.started"]);
  code = "backend_unavailable";
  await expect(open()).rejects.toMatchObject({ code });
  expect(started).toHaveLength(2);
});

test("an image without git is said once, and work goes on", async () => {
  const { clock, journal } = await conversation();
  const sandbox = scriptedSandbox({
    "workspace.begin": () => {
      throw new AppError("git_missing", "no git");
    },
  });
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => undefined });
  const ports = { journal, backend: backend({ start: async () => sandbox }), prepareSeed, clock, fillWorkspace };

  expect(await openSandbox(ports, () => undefined, never)).toBe(sandbox);
  expect(journal.state.workspace).toEqual({ commit: undefined, branch: undefined, files: 0 });
});

/** A spare under the conversation's id, on a machine where nothing else runs. Tells what was done to it, in order. */
function machineWithSpare(spare: Sandbox | undefined) {
  const done: string[] = [];
  let running = spare;
  let workspace = true;
  const machine = backend({
    hasWorkspace: async () => workspace,
    find: async () => running,
    async start({ seedDirectory }) {
      done.push(`start on ${seedDirectory ?? "what is there"}`);
      return scriptedSandbox({}, "boot-2");
    },
    async remove() {
      done.push("remove");
      running = undefined;
      workspace = false;
    },
  });
  const prepareSeed = async ({ type }: { readonly type: string }) => {
    done.push(`prepare ${type}`);
    return { directory: `/${type}`, dispose: async () => void done.push("dispose") };
  };
  const fillWorkspace = async (_: Sandbox, { directory }: Seed) => void done.push(`fill from ${directory}`);
  return { done, machine: { backend: machine, prepareSeed, fillWorkspace } };
}

const GIT = { type: "git", url: "https://git.example/a.git" } as const;
const WITH_SPARE = { source: GIT, spare: true } as const;
const broken = async () => {
  throw new AppError("disk_full", "It does not fit.");
};

test("a spare gets the conversation's first files, once, and no other sandbox is started", async () => {
  const { journal, clock } = await conversation(WITH_SPARE);
  const spare = scriptedSandbox();
  const { done, machine } = machineWithSpare(spare);
  const open = () => openSandbox({ ...machine, journal, clock }, () => undefined, never);

  expect([await open(), await open()]).toEqual([spare, spare]);
  expect(done).toEqual(["prepare git", "fill from /git", "dispose"]);
});

test("a spare serves a conversation without files as it is, and a fork, whose files a restore brings", async () => {
  const point = { checkpointId: `p_${"0".repeat(20)}`, root: "0".repeat(64) };
  const fork = { conversationId: SAMPLE_ID, lineage: SAMPLE_ID, start: point, from: point };
  const restore = async () => ({ written: 0, removed: 0, failed: [] });
  const snapshots = { keep: broken, rootNow: broken, keepStep: broken, forgetStep: broken, restore };
  const emptySeed = async () => ({ directory: "/nothing", dispose: async () => undefined });
  for (const changes of [{ spare: true }, { spare: true, fork }, { ...WITH_SPARE, fork }] as const) {
    const { journal, clock } = await conversation(changes);
    const { done, machine } = machineWithSpare(scriptedSandbox());
    await openSandbox({ ...machine, emptySeed, journal, clock, snapshots }, () => undefined, never);
    expect({ done, spare: journal.state.spare }).toEqual({ done: [], spare: false });
  }
});

test("a spare that cannot have the files is removed before another is started, with the same files", async () => {
  const { journal, clock, events } = await conversation(WITH_SPARE);
  const { done, machine } = machineWithSpare(scriptedSandbox());
  const parts = { ...machine, fillWorkspace: broken, journal, clock };
  expect((await openSandbox(parts, () => undefined, never)).bootId).toBe("boot-2");
  expect(done).toEqual(["prepare git", "remove", "start on /git", "dispose"]);
  expect((await events()).map(({ event }) => event.type)).toEqual(["sandbox.started", "workspace.prepared"]);
});

test("a spare that died, or does not answer, is removed with its workspace, and another sandbox has the files", async () => {
  for (const find of [async () => undefined, broken]) {
    const { journal, clock } = await conversation(WITH_SPARE);
    const { done, machine } = machineWithSpare(undefined);
    const parts = { ...machine, backend: { ...machine.backend, find }, journal, clock };
    await openSandbox(parts, () => undefined, never);
    expect(done).toEqual(["prepare git", "remove", "start on /git", "dispose"]);
  }
});

test("a spare that cannot be removed is not replaced: there are never two", async () => {
  const { journal, clock } = await conversation(WITH_SPARE);
  const { done, machine } = machineWithSpare(undefined);
  const parts = { ...machine, backend: { ...machine.backend, remove: broken }, journal, clock };
  await expect(openSandbox(parts, () => undefined, never)).rejects.toMatchObject({ code: "disk_full" });
  expect(done).toEqual(["prepare git", "dispose"]);
  expect(journal.state.spare).toBe(true);
});

test("files that cannot be fetched, and a user who gives up, cost no spare", async () => {
  const { journal, clock } = await conversation(WITH_SPARE);
  const { done, machine } = machineWithSpare(scriptedSandbox());
  const open = (more: object, signal: AbortSignal) =>
    openSandbox({ ...machine, ...more, journal, clock }, () => undefined, signal);
  await expect(open({ prepareSeed: broken }, never)).rejects.toMatchObject({ code: "disk_full" });
  const user = new AbortController();
  const givenUp = async () => user.abort(new Error("given up"));
  await expect(open({ fillWorkspace: givenUp }, user.signal)).rejects.toThrow("given up");
  expect(done).toEqual(["prepare git", "dispose"]);
  await open({}, never);
  expect(done.slice(2)).toEqual(["prepare git", "fill from /git", "dispose"]);
});
