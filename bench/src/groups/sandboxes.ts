import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackendName } from "@handrail/protocol/sources";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import { withDirectory } from "../parts/free-directory.ts";
import { openNew, type Opened, ownBackend, type Places, runTrue } from "../parts/own-backends.ts";
import { rawRunc } from "../parts/raw-runc.ts";
import { floorOf, imageOfSandbox, shellTrips } from "../parts/sandbox-floors.ts";
import { availableBytes, sandboxBytes } from "../parts/sandbox-memory.ts";
import { type Beside, type Group, type Measure, measureAll, missing, type Row } from "../row.ts";
import { median, middleOf, percentile, repeat, spreadOf, timed } from "../samples.ts";

const TIMES = { times: 10, warmUp: 2 };
const TRIPS = 200;
const IDLE = 50;
/** Longer than sandboxd waits until it gives memory back. */
const SETTLE_MS = 15_000;
const BACKENDS = ["docker", "containerd", "process", "none"] as const;
/** A cold start is allowed 100 ms over its floor in Docker; other backends have bounds of their own. */
const DOCKER_OVER_FLOOR_MS = 100;
const AT_MOST_MS: Partial<Record<BackendName, number>> = { containerd: 250, process: 150 };
const RUNC_TIMES = { times: 10, warmUp: 1 };

/** Sandboxes by the server's own backends, called as the loop calls them. */
export const sandboxes: Group = {
  name: "sandboxes",
  measures: "new conversation to first command, round trip of `true`, and memory of idle sandboxes, for each backend",
  async run() {
    const rows: Row[] = [];
    for (const name of BACKENDS) {
      const measured = await withDirectory((home) => backendRows(name, home)).catch((thrown: unknown) => [
        missing(first(name), "ms", thrown),
      ]);
      rows.push(...measured);
    }
    return rows;
  },
};

const first = (name: BackendName) => `new conversation to first command, ${name}`;
const trip = (name: BackendName) => `sandboxd round trip of true, ${name}`;
const idle = (name: BackendName) => `idle sandbox, ${name}, of ${IDLE}`;

async function backendRows(name: BackendName, home: string): Promise<readonly Row[]> {
  const store = await sqliteLogStore({ file: join(home, "bench.sqlite") });
  const backend = await ownBackend(name, home);
  const places = { store, backend, home };
  const measures: Measure[] = [
    { name: first(name), unit: "ms", rows: async () => [await firstCommand(places)] },
    { name: trip(name), unit: "ms", rows: async () => [await roundTrips(places)] },
  ];
  if (name !== "none") measures.push({ name: idle(name), unit: "MB", rows: async () => [await idleMemory(places)] });
  try {
    return await measureAll(measures);
  } finally {
    await store.close();
    // What a measure that failed has left.
    await backend.collect(new Set()).catch(() => undefined);
    await backend.close();
  }
}

async function firstCommand(places: Places): Promise<Row> {
  const { name, cri } = places.backend;
  let image: string | undefined;
  const both = await repeat(TIMES, async () => {
    let opened: Opened | undefined;
    const took = await timed(async () => {
      opened = await openNew(places);
      await runTrue(opened.sandbox);
    });
    if (opened === undefined) throw new Error("there is no sandbox");
    const { id } = opened.journal.state;
    if (name === "docker") image ??= await imageOfSandbox(id);
    await places.backend.remove(id);
    return { took, floor: await floorOf({ backend: name, image, cri }).measure() };
  });
  const ms = both.map(({ took }) => took);
  const floorMs = median(both.map(({ floor }) => floor));
  const limit = name === "docker" ? floorMs + DOCKER_OVER_FLOOR_MS : AT_MOST_MS[name];
  const runc = name === "docker" || name === "containerd" ? await runcFloor() : [];
  return {
    name: first(name),
    unit: "ms",
    p50: median(ms),
    p99: percentile(ms, 1),
    ...(limit === undefined ? {} : { target: { p50AtMost: limit } }),
    beside: [{ name: floorOf({ backend: name }).name, p50: floorMs }, ...runc],
    note: "the second figure is the slowest; log, sandbox, start of the workspace and `true` in a shell",
  };
}

/** What both daemons start a container with, without them. */
async function runcFloor(): Promise<readonly Beside[]> {
  return [{ name: "runc run true", p50: median(await repeat(RUNC_TIMES, rawRunc)) }];
}

async function roundTrips(places: Places): Promise<Row> {
  const { name } = places.backend;
  const { journal, sandbox } = await openNew(places);
  const samples = await repeat({ times: 5, warmUp: 1 }, async () => {
    const trips: number[] = [];
    for (let trip = 0; trip < TRIPS; trip++) trips.push(await timed(() => runTrue(sandbox)));
    return trips;
  });
  await places.backend.remove(journal.state.id);
  const spawned = await repeat({ times: 50, warmUp: 5 }, () => floorOf({ backend: "none" }).measure());
  return {
    name: trip(name),
    unit: "ms",
    ...middleOf(samples),
    target: { p50AtMost: 2 },
    beside: [
      { name: "true in a bash over a pipe", ...spreadOf(await shellTrips(TRIPS)) },
      { name: "bash -c true", ...spreadOf(spawned) },
    ],
  };
}

async function idleMemory(places: Places): Promise<Row> {
  const opened: Opened[] = [await openNew(places)];
  await sleep(SETTLE_MS);
  const before = { available: availableBytes(), own: sandboxBytes() };
  for (let count = 0; count < IDLE; count++) {
    const next = await openNew(places);
    await runTrue(next.sandbox);
    opened.push(next);
  }
  await sleep(SETTLE_MS);
  const used = megabytes(before.available - availableBytes());
  const own = megabytes(sandboxBytes() - before.own);
  for (const { journal } of opened) await places.backend.remove(journal.state.id);
  const name = idle(places.backend.name);
  const proportional = `proportional memory of sandboxd and its shell is ${own.toFixed(1)} MB each`;
  const target = { p50AtMost: 15 };
  if (used <= 0)
    return {
      name,
      unit: "MB",
      p50: own,
      target,
      note: `${proportional}; other programs gave back more memory than the sandboxes took, so MemAvailable says nothing`,
    };
  return {
    name,
    unit: "MB",
    p50: used,
    target,
    note: `what MemAvailable of the machine went down by for each, its shell open, the first one not counted; ${proportional}`,
  };
}

const megabytes = (bytes: number) => bytes / IDLE / 1024 ** 2;
