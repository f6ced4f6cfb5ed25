import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ConversationEvent } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { sqliteLogStore } from "./sqlite-log-store.ts";

// Measures appends of one 600-byte event each: `node measure-appends.ts [directory]`. Prints a table.

const RUNS_MS = 4_000;

async function measure(directory: string, synchronous: "full" | "normal", writers: number): Promise<string> {
  const folder = mkdtempSync(join(directory, "measure-"));
  const store = await sqliteLogStore({ file: join(folder, "logs.db"), synchronous });
  const latencies: number[] = [];
  const end = performance.now() + RUNS_MS;
  const write = async () => {
    const id = newId("c", Date.now());
    for (let seq = 0; performance.now() < end; seq++) {
      const before = performance.now();
      await store.append({ conversationId: id, expectedSeq: seq, events: [EVENT], summary: summary(id, seq), at: 1 });
      latencies.push(performance.now() - before);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: writers }, write));
  const seconds = (performance.now() - started) / 1000;
  await store.close();
  rmSync(folder, { recursive: true });
  latencies.sort((left, right) => left - right);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  const rate = Math.round(latencies.length / seconds);
  return `${synchronous.padEnd(7)} ${String(writers).padStart(4)} writers  ${String(rate).padStart(6)} events/s  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`;
}

const EVENT: ConversationEvent = { type: "notice.added", audience: "user", code: "x", text: "x".repeat(540) };

function summary(id: string, head: number): ConversationSummary {
  const names = { id, ownerId: "u_1", teamId: null, title: "Measure", model: "m" };
  const kind = { state: "working", archived: false, source: { type: "empty" }, backend: "process" } as const;
  const sums = { costUsd: 0, steps: 0, changes: { files: 0, added: 0, removed: 0 } };
  return { ...names, ...kind, ...sums, head, createdAt: 1, updatedAt: head };
}

const directory = resolve(process.argv[2] ?? ".");
for (const synchronous of ["full", "normal"] as const) {
  for (const writers of [1, 8, 64, 256]) process.stdout.write(`${await measure(directory, synchronous, writers)}\n`);
}
