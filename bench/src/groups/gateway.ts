import { setTimeout as sleep } from "node:timers/promises";
import { callMany, type Kind, type Target } from "../parts/gateway-client.ts";
import { type Contestants, hopCommand, ownCommand, withContestants } from "../parts/gateway-contestants.ts";
import { withDirectory } from "../parts/free-directory.ts";
import { type GatewayCommand, type GatewayProcess, startGateway } from "../parts/gateway-process.ts";
import { type Cut, holdingProvider } from "../parts/gateway-departures.ts";
import type { Beside, Group, Row, RunOptions, Target as Bound } from "../row.ts";
import { median, middleOf, repeat, type Spread, spreadOf } from "../samples.ts";

const ROUNDS = 5;
const STARTS = 5;
const CALLS = 20_000;
const CALLS_FULL = 100_000;
/** A slow peer makes so many times fewer calls of each kind. */
const SLOW_SHARE = 8;
const CALLS_SLOW = 400;
const PACED = { count: 384, parallel: 64 };
const PACED_SLOW = { count: 64, parallel: 64 };
const DEPARTURES = 100;
const SETTLE_MS = 1000;
const MEGABYTE = 1024 ** 2;

type AddedKind = Exclude<Kind, "paced">;

/** Before anything is counted: V8 has not compiled all of a gateway's way for good before some thousands of calls. */
const WARM_UP: Readonly<Record<AddedKind, number>> = { json: 6000, stream: 1500, long: 60 };

/** Calls of each kind that one contestant makes in a round, by how many are made at once. */
const COUNTS: Readonly<Record<AddedKind, Readonly<Record<number, number>>>> = {
  json: { 1: 150, 16: 320, 64: 640 },
  stream: { 1: 60, 16: 160, 64: 256 },
  long: { 1: 20, 16: 48, 64: 128 },
};
const PARALLEL = [1, 16, 64];

/** What the gateway adds to a call, beside a bare hop and other gateways, all in front of one upstream and in turns. */
export const gateway: Group = {
  name: "gateway",
  measures: "what the model gateway adds to a call, its CPU and memory, beside a bare hop, Portkey and LiteLLM",
  async run(options) {
    return await withContestants(async (all) => {
      await sleep(SETTLE_MS);
      const processes = [all.own, all.hop, ...all.peers];
      const idle = await Promise.all(processes.map((each) => each.residentBytes()));
      const added = await addedRows(all);
      const loads = await inOrder(processes, (each) => loadOf(each, options));
      return [
        ...added,
        ...usageRows(processes, idle, loads),
        await pacedRow(processes),
        ...(await departureRows()),
        await startRow(all),
        ...all.skipped.map((note): Row => ({ name: "gateway peer", unit: "ms", note: `left out: ${note}` })),
      ];
    });
  },
};

type Cell = { readonly kind: AddedKind; readonly parallel: number };
/** Of each round, the milliseconds of each call. */
type Rounds = { readonly first: number[][]; readonly last: number[][] };

type Contestant = Target & { readonly slow?: boolean };

const shareOf = ({ slow = false }: Contestant, count: number) => (slow ? Math.ceil(count / SLOW_SHARE) : count);

/** Every cell goes to each contestant in turn, round after round; the first round is a warm-up too. */
async function addedRows(all: Contestants): Promise<readonly Row[]> {
  const targets: readonly Contestant[] = [all.direct, all.own, all.hop, ...all.peers];
  const kinds = Object.keys(COUNTS) as AddedKind[];
  for (const kind of kinds) await inOrder(targets, (each) => warmUp(each, kind));
  const cells = kinds.flatMap((kind) => PARALLEL.map((parallel) => ({ kind, parallel })));
  const measured = cells.map((cell) => ({ cell, rounds: targets.map((): Rounds => ({ first: [], last: [] })) }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { cell, rounds } of measured) await cellRound(cell, targets, round === 0 ? [] : rounds);
  }
  const names = [all.hop, ...all.peers].map(({ name }) => name);
  return measured.flatMap(({ cell, rounds }) => cellRows(cell, rounds, names));
}

/** A slow one needs no more than its share of a share: it is not compiled on its way. */
async function warmUp(target: Contestant, kind: AddedKind): Promise<void> {
  await callMany(target, kind, { count: shareOf(target, shareOf(target, WARM_UP[kind])), parallel: 16 });
}

/** Each target in turn. What is measured goes to the target's place in `rounds`, when it has one. */
async function cellRound({ kind, parallel }: Cell, targets: readonly Contestant[], rounds: readonly Rounds[]) {
  for (const [index, target] of targets.entries()) {
    const count = Math.max(parallel, shareOf(target, COUNTS[kind][parallel] ?? 0));
    const calls = await callMany(target, kind, { parallel, count });
    rounds[index]?.first.push(calls.map(({ first }) => first));
    rounds[index]?.last.push(calls.map(({ last }) => last));
  }
}

const WHATS: Readonly<Record<AddedKind, string>> = { json: "JSON", stream: "stream", long: "400 kB prompt, stream" };

function cellRows({ kind, parallel }: Cell, rounds: readonly Rounds[], names: readonly string[]): readonly Row[] {
  const row = (what: string, part: keyof Rounds, target?: Bound): Row => {
    const [direct, own, ...others] = rounds.map((each) => middleOf(each[part]));
    const over = (spread?: Spread): Spread => ({
      p50: (spread?.p50 ?? Number.NaN) - (direct?.p50 ?? 0),
      p99: (spread?.p99 ?? Number.NaN) - (direct?.p99 ?? 0),
    });
    return {
      name: `gateway adds, ${WHATS[kind]}${what}, ${parallel} at a time`,
      unit: "ms",
      ...over(own),
      ...(parallel === 1 && target !== undefined ? { target } : {}),
      beside: others.map((spread, index) => ({ name: names[index] ?? "", ...over(spread) })),
      note: `over direct, which takes ${direct?.p50.toFixed(2)} / ${direct?.p99.toFixed(2)} ms`,
    };
  };
  if (kind === "json") return [row("", "last", { p50AtMost: 0.5 })];
  const last = row(" to last chunk", "last");
  return kind === "long" ? [last] : [row(" to first byte", "first", { p50AtMost: 1.5 }), last];
}

type Load = { readonly cpuMs: number; readonly half: number; readonly bytes: number; readonly count: number };

/** Many JSON calls, 16 at a time, in two halves. */
async function loadOf(target: GatewayProcess, { full = false }: RunOptions): Promise<Load> {
  const count = target.slow ? CALLS_SLOW : full ? CALLS_FULL : CALLS;
  const before = await target.cpuMs();
  await callMany(target, "json", { count: count / 2, parallel: 16 });
  const half = await target.residentBytes();
  await callMany(target, "json", { count: count / 2, parallel: 16 });
  return { cpuMs: ((await target.cpuMs()) - before) / count, half, bytes: await target.residentBytes(), count };
}

function usageRows(
  processes: readonly GatewayProcess[],
  idle: readonly number[],
  loads: readonly Load[],
): readonly Row[] {
  const row = (name: string, unit: Row["unit"], values: readonly number[], target: Bound): Row => {
    const [own, ...others] = values;
    const beside = others.map((p50, index): Beside => ({ name: processes[index + 1]?.name ?? "", p50 }));
    return { name, unit, ...(own === undefined ? {} : { p50: own }), target, beside };
  };
  const megabytes = (bytes: readonly number[]) => bytes.map((each) => each / MEGABYTE);
  const [own] = loads;
  const flat = { p50AtMost: ((own?.half ?? 0) * 1.1) / MEGABYTE };
  const counts = `LiteLLM after ${CALLS_SLOW}`;
  return [
    row(
      "gateway: CPU of a JSON call, 16 at a time",
      "ms",
      loads.map(({ cpuMs }) => cpuMs),
      { p50AtMost: 0.25 },
    ),
    row("gateway: resident memory, idle", "MB", megabytes(idle), { p50AtMost: 90 }),
    {
      ...row(
        `gateway: resident memory after ${own?.count} calls`,
        "MB",
        megabytes(loads.map(({ bytes }) => bytes)),
        flat,
      ),
      note: `the target is a tenth more than after half of them; ${counts}`,
    },
  ];
}

/** Of streams that come as a model writes, most of which is waiting. */
async function pacedRow(processes: readonly GatewayProcess[]): Promise<Row> {
  const cpuMs = await inOrder(processes, async (each) => {
    const before = await each.cpuMs();
    const { count, parallel } = each.slow ? PACED_SLOW : PACED;
    await callMany(each, "paced", { count, parallel });
    return ((await each.cpuMs()) - before) / count;
  });
  const [own = Number.NaN, hop = Number.NaN] = cpuMs;
  return {
    name: "gateway: CPU of a stream of 52 chunks, one every 10 ms, 64 at a time",
    unit: "ms",
    p50: own,
    target: { p50AtMost: 1.25 * hop },
    beside: cpuMs.slice(1).map((p50, index) => ({ name: processes[index + 1]?.name ?? "", p50 })),
    note: "the target is a quarter more than the hop takes",
  };
}

/** From a client's leaving to the end of the provider's connection, one call at a time. */
async function departureRows(): Promise<readonly Row[]> {
  return await withDirectory(async (home) => {
    const provider = await holdingProvider(async (port) => await startGateway(await ownCommand(port, home), home));
    const row = async (cut: Cut, what: string): Promise<Row> => {
      const times = await repeat({ times: DEPARTURES, warmUp: 10 }, () => provider.leave(cut));
      const name = `gateway: a client leaves ${what}, until the provider's connection ends`;
      return { name, unit: "ms", ...spreadOf(times), target: { p99AtMost: 100 } };
    };
    try {
      return [await row("json", "before the answer"), await row("stream", "in the middle of a stream")];
    } finally {
      await provider.stop();
    }
  });
}

/** From the command to the end of the first answer. Peers were started once. */
async function startRow({ direct, peers }: Contestants): Promise<Row> {
  const starts = (command: (home: string) => GatewayCommand | Promise<GatewayCommand>) =>
    repeat({ times: STARTS, warmUp: 1 }, () =>
      withDirectory(async (home) => {
        const started = await startGateway(await command(home), home);
        await started.stop();
        return started.startMs;
      }),
    );
  const own = await starts((home) => ownCommand(direct.port, home));
  const hop = await starts(() => hopCommand(direct.port));
  return {
    name: "gateway: command to first answer",
    unit: "ms",
    p50: median(own),
    p99: Math.max(...own),
    target: { p50AtMost: 500 },
    beside: [
      { name: "node:http hop", p50: median(hop) },
      ...peers.map(({ name, startMs }) => ({ name, p50: startMs })),
    ],
    note: "the second figure is the slowest of the repetitions; Portkey and LiteLLM once",
  };
}

async function inOrder<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
