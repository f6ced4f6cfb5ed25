import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { ConversationEvent } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { withDirectory } from "../parts/free-directory.ts";
import type { Group, Row } from "../row.ts";
import { median, middleOf, repeat } from "../samples.ts";

const RUN_MS = 1500;
const TIMES = { times: 5, warmUp: 1 };

/** Appends of one 600-byte event each, waiting for each, from one writer and from 64; beside bare inserts. */
export const appends: Group = {
  name: "appends",
  measures: "append throughput of one SQLite log store, beside bare inserts of the same rows with the same durability",
  run: () => withDirectory(async (directory) => [await row(directory, 1), await row(directory, 64)]),
};

async function row(directory: string, writers: number): Promise<Row> {
  const ours = await repeat(TIMES, () => measure(join(directory, newId("c", Date.now())), writers));
  const floors = await repeat(TIMES, async () => bareInserts(join(directory, newId("c", Date.now())), writers));
  const latency = middleOf(ours.map((each) => each.latencies));
  return {
    name: `append throughput, ${writers === 1 ? "1 conversation" : `${writers} conversations at once`}`,
    unit: "events/s",
    p50: median(ours.map((each) => each.perSecond)),
    ...(writers === 1 ? {} : { target: { atLeast: 5000 } }),
    beside: [{ name: `node:sqlite, ${writers} a commit,`, p50: median(floors) }],
    note: `one append takes ${latency.p50.toFixed(2)} ms (p99 ${latency.p99.toFixed(2)} ms); WAL, synchronous=FULL`,
  };
}

async function measure(file: string, writers: number) {
  const store = await sqliteLogStore({ file });
  const latencies: number[] = [];
  const started = performance.now();
  const end = started + RUN_MS;
  await Promise.all(Array.from({ length: writers }, () => writer(store, end, latencies)));
  const perSecond = latencies.length / ((performance.now() - started) / 1000);
  await store.close();
  return { perSecond, latencies };
}

async function writer(store: LogStore, end: number, latencies: number[]): Promise<void> {
  const id = newId("c", Date.now());
  for (let seq = 0; performance.now() < end; seq++) {
    const before = performance.now();
    await store.append({ conversationId: id, expectedSeq: seq, events: [EVENT], summary: summary(id, seq), at: 1 });
    latencies.push(performance.now() - before);
  }
}

const EVENT: ConversationEvent = { type: "notice.added", audience: "user", code: "bench", text: "x".repeat(540) };

function summary(id: string, head: number): ConversationSummary {
  const names = { id, ownerId: "local", teamId: null, title: "Bench", model: "bench" };
  const kind = { state: "working", archived: false, source: { type: "empty" }, backend: "process" } as const;
  const sums = { costUsd: 0, steps: 0, changes: { files: 0, added: 0, removed: 0 } };
  return { ...names, ...kind, ...sums, head, createdAt: 1, updatedAt: head };
}

/** Inserts of the same event and nothing else, `perCommit` to a transaction. Gives rows a second. */
function bareInserts(file: string, perCommit: number): number {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = full");
  database.exec("create table events (id text, seq integer, at integer, event text, primary key (id, seq))");
  const insert = database.prepare("insert into events values (?, ?, ?, ?)");
  const text = JSON.stringify(EVENT);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < RUN_MS) {
    database.exec("begin immediate");
    for (let index = 0; index < perCommit; index++) insert.run(String(index), count, 1, text);
    database.exec("commit");
    count += 1;
  }
  const perSecond = (count * perCommit) / ((performance.now() - started) / 1000);
  database.close();
  return perSecond;
}
