import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { newId } from "@handrail/protocol/ids";
import type { BackendName } from "@handrail/protocol/sources";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import { withDirectory } from "../parts/free-directory.ts";
import { makeRepository } from "../parts/large-repository.ts";
import {
  cloner,
  openNew,
  ownBackend,
  type Places,
  reopen,
  runTrue,
  startSpare,
  waitingSpare,
} from "../parts/own-backends.ts";
import {
  type Begun,
  daemonsOwn,
  type Floor,
  floorOf,
  imageOfSandbox,
  removalFloorOf,
} from "../parts/sandbox-floors.ts";
import { type Beside, type Group, measureAll, missing, type Row } from "../row.ts";
import { median, percentile, repeat, timed } from "../samples.ts";

const TIMES = { times: 10, warmUp: 2 };
const TOGETHER = 8;
/** Starts a second differ by a tenth and more from one turn to the next. */
const TURNS = { times: 12, warmUp: 2 };
/** What a measure removed goes on going for a while, network namespaces above all; the next one has no part in that. */
const SETTLED_MS = 500;
const FILES = 2000;
const BACKENDS = ["docker", "containerd", "process"] as const;

/** What happens to sandboxes beside their cold start. */
export const sandboxLife: Group = {
  name: "life",
  measures: "first command in a sandbox that waited ready, in a stopped one; stop and remove; starts a second",
  async run() {
    const rows: Row[] = [];
    for (const name of BACKENDS) {
      const measured = await withDirectory((home) => lifeRows(name, home)).catch((thrown: unknown) => [
        missing(waited(name), "ms", thrown),
      ]);
      rows.push(...measured);
    }
    return rows;
  },
};

const waited = (name: BackendName) => `sandbox that waited ready to first command, ${name}`;
const waitedForRepository = (name: BackendName) =>
  `repository of ${FILES} files in a sandbox that waited to first command, ${name}`;
const stopped = (name: BackendName) => `stopped sandbox to first command, ${name}`;
const together = (name: BackendName) => `sandboxes that answer, ${TOGETHER} at a time, ${name}`;

async function lifeRows(name: BackendName, home: string): Promise<readonly Row[]> {
  const store = await sqliteLogStore({ file: join(home, "bench.sqlite") });
  const backend = await ownBackend(name, home);
  const places = { store, backend, home };
  try {
    return await measureAll([
      { name: waited(name), unit: "ms", rows: async () => [await warm(places)] },
      { name: waitedForRepository(name), unit: "ms", rows: async () => [await repository(places)] },
      { name: stopped(name), unit: "ms", rows: () => resumeAndRemove(places) },
      { name: together(name), unit: "starts/s", rows: () => throughput(places) },
    ]);
  } finally {
    await store.close();
    // What a measure that failed has left.
    await backend.collect(new Set()).catch(() => undefined);
    await backend.close();
  }
}

async function warm(places: Places): Promise<Row> {
  const ms = await repeat(TIMES, async () => {
    const conversationId = await waitingSpare(places);
    const took = await timed(async () => runTrue((await openNew(places, { conversationId, spare: true })).sandbox));
    await places.backend.remove(conversationId);
    return took;
  });
  const note = "new log, the sandbox that waits, start of the workspace, `true` in a shell";
  const target = { p50AtMost: 60 };
  return { ...slowest(ms), name: waited(places.backend.name), target, note };
}

/** The same clone in a sandbox that waited and in one that is started for it, by turns. */
async function repository(places: Places): Promise<Row> {
  const { backend, home } = places;
  const directory = join(home, "repository");
  await makeRepository(directory, FILES);
  const source = { type: "git", url: `file://${directory}` } as const;
  const first = async (conversationId: string, more: { readonly spare?: true }) => {
    const created = { conversationId, source, ...more };
    const took = await timed(async () => runTrue((await openNew(places, created)).sandbox));
    await backend.remove(conversationId);
    return took;
  };
  const clone = async () => (await cloner(home)(source, () => undefined, AbortSignal.timeout(60_000))).dispose();
  const turns = await repeat(TIMES, async () => ({
    waited: await first(await waitingSpare(places), { spare: true }),
    cold: await first(newId("c", Date.now()), {}),
    clone: await timed(clone),
  }));
  const beside = [
    { name: "a sandbox that is started for it", p50: median(turns.map(({ cold }) => cold)) },
    { name: "the server's clone alone, and its removal", p50: median(turns.map((turn) => turn.clone)) },
  ];
  return {
    ...slowest(turns.map((turn) => turn.waited)),
    name: waitedForRepository(backend.name),
    beside,
    note: "git clone of a repository of this machine included",
  };
}

async function resumeAndRemove(places: Places): Promise<Row[]> {
  const { backend } = places;
  const floors: number[] = [];
  const both = await repeat(TIMES, async () => {
    const { journal, sandbox } = await openNew(places);
    await runTrue(sandbox);
    const image = backend.name === "docker" ? await imageOfSandbox(journal.state.id) : undefined;
    await backend.stop(journal.state.id);
    const resumed = await timed(async () => runTrue(await reopen(places, journal)));
    const removed = await timed(() => backend.remove(journal.state.id));
    floors.push(await removalFloorOf({ ...floorPlace(places), image }).measure());
    return { resumed, removed };
  });
  const resumed = slowest(both.map((one) => one.resumed));
  const removed = slowest(both.map((one) => one.removed));
  const floor = removalFloorOf({ backend: backend.name });
  return [
    { ...resumed, name: stopped(backend.name), target: { p50AtMost: 700 } },
    {
      ...removed,
      name: `stop and remove, ${backend.name}`,
      target: { p50AtMost: 200 },
      beside: [{ name: floor.name, p50: median(floors) }],
    },
  ];
}

/** Sandboxes under way at the same time, against as many of the daemon's own. */
async function throughput(places: Places): Promise<readonly Row[]> {
  const { backend } = places;
  const one = await openNew(places);
  const image = backend.name === "docker" ? await imageOfSandbox(one.journal.state.id) : undefined;
  await backend.remove(one.journal.state.id);
  const of = { ...floorPlace(places), image };
  const least = floorOf(of);
  const own = daemonsOwn(of);
  const others = own.name === least.name ? [least] : [least, own];
  const rounds = await repeat(TURNS, (at) => turn(places, others, at));
  const beside = (kind: keyof Rates, more: string) =>
    others.map(({ name }, at) => ({
      name: `${name}${more}, ${TOGETHER} at a time`,
      p50: median(rounds.map(({ theirs }) => theirs[at]?.[kind] ?? Number.NaN)),
    }));
  const rate = (kind: keyof Rates) => median(rounds.map(({ ours }) => ours[kind]));
  const [begun, gone] = [beside("begun", ""), beside("gone", " and removal")];
  return [
    {
      name: together(backend.name),
      unit: "starts/s",
      p50: median(rounds.map(({ answering }) => answering)),
      ...atLeast(backend.name, begun),
      beside: begun,
      note: "what stands beside only makes and starts: no program of ours starts in it",
    },
    {
      name: `sandboxes to first command, ${TOGETHER} at a time, ${backend.name}`,
      unit: "starts/s",
      p50: rate("begun"),
      note: "from a new log over the start of the workspace to the end of `true` in a shell; nothing bare does that",
    },
    {
      name: `sandboxes to first command and gone, ${TOGETHER} at a time, ${backend.name}`,
      unit: "starts/s",
      p50: rate("gone"),
      ...atLeast(backend.name, gone),
      beside: gone,
    },
  ];
}

/** Whoever comes second in one turn is first in the next: the machine gets slower and faster meanwhile. */
async function turn(places: Places, others: readonly Floor[], at: number) {
  const measureOurs = async () => ({
    answering: await beginRateOf(() => startedNew(places)),
    ours: await ratesOf(() => usedNew(places)),
  });
  const measureTheirs = async () => {
    const theirs: Rates[] = [];
    for (const other of others) theirs.push(await ratesOf(other.begin));
    return { theirs };
  };
  if (at % 2 === 0) return { ...(await measureOurs()), ...(await measureTheirs()) };
  return { ...(await measureTheirs()), ...(await measureOurs()) };
}

/** The daemon's own rate is the target; what runs without a daemon has none to keep. */
function atLeast(name: BackendName, beside: readonly Beside[]): Pick<Row, "target"> {
  const own = beside.at(-1)?.p50;
  return name === "process" || own === undefined ? {} : { target: { atLeast: own } };
}

/** How many begin in a second, and how many begin and are gone. */
type Rates = { readonly begun: number; readonly gone: number };

async function ratesOf(begin: Floor["begin"]): Promise<Rates> {
  const begun = await beginRateOf(begin);
  await sleep(SETTLED_MS);
  return { begun, gone: perSecond(await timed(() => allEnded(async () => (await begin()).remove()))) };
}

async function beginRateOf(begin: Floor["begin"]): Promise<number> {
  const begun: Begun[] = [];
  await sleep(SETTLED_MS);
  try {
    return perSecond(await timed(() => allEnded(async () => begun.push(await begin()))));
  } finally {
    await Promise.all(begun.map(({ remove }) => remove()));
  }
}

/** A sandbox whose sandboxd has answered. */
async function startedNew({ backend }: Places): Promise<Begun> {
  const before = performance.now();
  const id = await startSpare({ backend });
  return { ms: performance.now() - before, remove: () => backend.remove(id) };
}

/** A sandbox that has run its first command. */
async function usedNew(places: Places): Promise<Begun> {
  const before = performance.now();
  const { journal, sandbox } = await openNew(places);
  await runTrue(sandbox);
  return { ms: performance.now() - before, remove: async () => places.backend.remove(journal.state.id) };
}

/** Does `work` as often as it is measured at a time. Nothing of it goes on when this fails, which would be in the next figure. */
async function allEnded(work: () => Promise<unknown>): Promise<void> {
  const all = await Promise.allSettled(Array.from({ length: TOGETHER }, work));
  for (const one of all) if (one.status === "rejected") throw one.reason;
}

const floorPlace = ({ backend: { name, cri } }: Places) => ({ backend: name, cri });

const perSecond = (ms: number) => (TOGETHER * 1000) / ms;

const slowest = (ms: readonly number[]) => ({ unit: "ms" as const, p50: median(ms), p99: percentile(ms, 1) });
