import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { createJournal, type Journal } from "@handrail/core/journal";
import { openSandbox } from "@handrail/core/open-sandbox";
import type { Fork } from "@handrail/protocol/checkpoints";
import { newId } from "@handrail/protocol/ids";
import { fillWorkspace } from "@handrail/sandboxes/fill-workspace";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import { checkpointsOf } from "@handrail/server/checkpoints/checkpoints";
import { openKeptFiles } from "@handrail/server/compose/checkpoints";
import { restores } from "@handrail/server/conversations/restores";
import { openSecrets } from "@handrail/server/settings/secrets";
import { readConfig } from "@handrail/server/config";
import { withDirectory } from "../parts/free-directory.ts";
import { changeCommand, done, makeRepository } from "../parts/large-repository.ts";
import { type OwnBackend, ownBackend, waitingSpare } from "../parts/own-backends.ts";
import { conversationCreated, systemClock } from "../parts/sample-events.ts";
import { snapshotFloors } from "../parts/snapshot-floors.ts";
import type { Group, Row } from "../row.ts";
import { median, percentile, repeat, timed } from "../samples.ts";

const FILES = 20_000;
const CHANGED = 10;
const TIMES = { times: 5, warmUp: 1 };
const SLOW_TIMES = { times: 3, warmUp: 1 };
const PATIENCE_MS = 300_000;

/** What checkpoints of a large repository cost, by the server's own store and the process backend. */
export const snapshots: Group = {
  name: "snapshots",
  measures: `checkpoints of a repository of ${FILES} files: first, with ${CHANGED} changed, restore and fork`,
  run: () => withDirectory(rowsIn),
};

async function rowsIn(home: string): Promise<readonly Row[]> {
  const repository = join(home, "repository");
  await makeRepository(repository, FILES);
  const backend = await ownBackend("process", home);
  const world = await openWorld(home, repository, backend);
  try {
    const own = await measured(world);
    const floors = await snapshotFloors(repository, join(home, "floors"), CHANGED);
    const what = `of ${FILES} files`;
    return [
      { ...own.first, name: `first snapshot ${what}`, beside: floors.first },
      {
        ...own.changed,
        name: `snapshot ${what}, ${CHANGED} changed`,
        target: { p50AtMost: 200 },
        beside: floors.changed,
      },
      {
        ...own.restored,
        name: `restore ${what}, ${CHANGED} changed`,
        target: { p50AtMost: 1000 },
        beside: floors.restore,
        note: "a checkpoint of what is there now is part of it",
      },
      {
        ...own.forked,
        name: `fork ${what} into a new conversation`,
        target: { p50AtMost: 1000 },
        beside: floors.fork,
        note: "new log, sandbox, all files, and what they changed against the start; `tar` unpacks, without any of that",
      },
      {
        ...own.waited,
        name: `fork ${what} into a sandbox that waited`,
        target: { p50AtMost: 1000 },
        note: "as a server does that keeps sandboxes ready, which is the default",
      },
    ];
  } finally {
    await world.close();
    await backend.close();
  }
}

type World = Awaited<ReturnType<typeof openWorld>>;

async function openWorld(home: string, repository: string, backend: OwnBackend) {
  const store = await sqliteLogStore({ file: join(home, "bench.sqlite") });
  const config = readConfig(["--home", home], { ...process.env, HANDRAIL_LOG_LEVEL: "error" });
  const kept = openKeptFiles(config, await openSecrets(join(home, "secret.key")));
  if (kept === undefined) throw new Error("checkpoints are off");
  const journals = new Map<string, Journal>();
  const seedOf = (fill: boolean) => async () => {
    const directory = join(home, "seeds", randomUUID());
    await mkdir(join(home, "seeds"), { recursive: true });
    await mkdir(directory);
    if (fill) await done("cp", ["-a", `${repository}/.`, directory]);
    return { directory, dispose: async () => undefined };
  };
  const ids = (prefix: Parameters<typeof newId>[0]) => newId(prefix, Date.now());
  const signal = () => AbortSignal.timeout(PATIENCE_MS);
  const seeding = { prepareSeed: seedOf(true), emptySeed: seedOf(false), fillWorkspace };
  const parts = { ...seeding, backend, clock: systemClock, newId: ids };
  const open = (journal: Journal) =>
    openSandbox({ ...parts, journal, snapshots: kept.snapshots }, () => undefined, signal());
  const create = async (fork?: Fork, spareId?: string): Promise<Journal> => {
    const created = conversationCreated(backend.name, spareId ?? ids("c"));
    const more = {
      ...(fork === undefined ? {} : { fork }),
      ...(spareId === undefined ? {} : { spare: true as const }),
    };
    const journal = await createJournal(store, systemClock, { ...created, ...more });
    journals.set(journal.state.id, journal);
    return journal;
  };
  const journal = async (id: string) => journals.get(id) ?? Promise.reject(new Error("no such conversation"));
  const checkpoints = checkpointsOf({
    ...kept,
    store,
    journal,
    open,
    clock: systemClock,
    newId: ids,
    restores: restores(),
  });
  const shell = async (of: Journal, script: string) => {
    const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 1000 };
    const { exitCode, stderr } = await (await open(of)).call("process.run", args, { signal: signal() });
    if (exitCode !== 0) throw new Error(stderr);
  };
  return { backend, checkpoints, create, open, shell, signal, close: () => store.close() };
}

async function measured({ backend, checkpoints, create, open, shell, signal }: World) {
  const origin = await create();
  const { id } = origin.state;
  await open(origin);
  const [begun] = await checkpoints.list(id);
  if (begun === undefined) throw new Error("nothing was kept at the start");
  const changed = await repeat(TIMES, async (round) => {
    await shell(origin, changeCommand(CHANGED, `round ${round}`));
    return (await checkpoints.create(id, signal())).durationMs;
  });
  const restored = await repeat(TIMES, async (round) => {
    const { checkpointId } = await checkpoints.create(id, signal());
    await shell(origin, changeCommand(CHANGED, `later ${round}`));
    return timed(() => checkpoints.restore(id, { checkpointId }, signal()));
  });
  const forkInto = async (spareId?: string) => {
    const { fork } = await checkpoints.prepareFork(id, {}, newId("c", Date.now()));
    let made: Journal | undefined;
    const took = await timed(async () => {
      made = await create(fork, spareId);
      await open(made);
    });
    if (made !== undefined) await backend.remove(made.state.id);
    return took;
  };
  const forked = await repeat(SLOW_TIMES, () => forkInto());
  const waited = await repeat(SLOW_TIMES, async () => forkInto(await waitingSpare({ backend })));
  await backend.remove(id);
  return {
    first: { unit: "ms" as const, p50: begun.durationMs },
    changed: spread(changed),
    restored: spread(restored),
    forked: spread(forked),
    waited: spread(waited),
  };
}

const spread = (ms: readonly number[]) => ({ unit: "ms" as const, p50: median(ms), p99: percentile(ms, 1) });
