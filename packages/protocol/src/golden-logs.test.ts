import { expect, test } from "vitest";
import { foldState } from "./conversation-state.ts";
import { ConversationEvent, StoredEvent } from "./events.ts";
import { summaryOf } from "./summary.ts";

type Glob = (pattern: string, options: object) => Record<string, string>;

// Logs as released versions stored them: they load and fold for ever. Add files here, never edit one.
const files = (import.meta as unknown as { readonly glob: Glob }).glob("./__fixtures__/logs/*.jsonl", {
  query: "?raw",
  import: "default",
  eager: true,
});
const logs = Object.entries(files).map(([path, text]) => ({
  name: path.slice(path.lastIndexOf("/") + 1),
  rows: text.trimEnd().split("\n"),
}));
const fold = (rows: readonly string[]) => foldState(rows.map((row) => StoredEvent.parse(JSON.parse(row))));
const foldOf = (name: string) => fold(logs.find((log) => log.name === name)?.rows ?? [])!;

test("the stored logs hold every type of event", () => {
  const types = logs.flatMap(({ rows }) => rows.map((row) => StoredEvent.parse(JSON.parse(row)).event.type));
  expect([...new Set(types)].sort()).toEqual(ConversationEvent.options.map((option) => option.shape.type.value).sort());
});

test.each(logs)("$name parses without losing a field, and folds to its end", ({ rows }) => {
  for (const row of rows) expect(StoredEvent.parse(JSON.parse(row))).toEqual(JSON.parse(row));
  expect(fold(rows)?.head).toBe(rows.length - 1);
});

test("a log of a fix folds to what happened", () => {
  const state = foldOf("v1-fix-a-test.jsonl");
  expect(summaryOf(state)).toMatchObject({
    title: "Fix date parsing",
    state: "done",
    archived: true,
    backend: "docker",
    steps: 3,
    changes: { files: 1, added: 3, removed: 1 },
  });
  expect(state.totals.costUsd).toBeCloseTo(0.0294);
  expect(state).toMatchObject({
    run: null,
    calls: [],
    liveSandbox: null,
    unread: 0,
    instructions: ["AGENTS.md"],
    tasks: [
      { title: "Fix the parser", status: "active" },
      { title: "Run the tests", status: "pending" },
    ],
    totals: { runs: 1, unpricedSteps: 0, usage: { inputTokens: 16490, outputTokens: 290, cacheReadTokens: 10500 } },
  });
});

test("a log of a crash, limits and failures folds to what happened", () => {
  expect(foldOf("v1-crash-and-limits.jsonl")).toMatchObject({
    title: "Try the build",
    archived: false,
    model: "other",
    limits: { maxTokens: 100_000 },
    runLimits: { maxSteps: 4 },
    sandbox: { backend: "process", network: { type: "allow", presets: ["registries"], hosts: [] } },
    liveSandbox: { bootId: "boot-3" },
    run: null,
    lastRun: { outcome: "failed", errorCode: "model_unauthorized" },
    calls: [],
    contextTokens: 5196,
    totals: { runs: 2, steps: 4, unpricedSteps: 3 },
  });
});

test("a log of network use folds to the open ask and the totals", () => {
  expect(foldOf("v1-network.jsonl")).toMatchObject({
    asks: [{ askId: "n_01m5x9k3q00000000002", host: "api.example", path: "/v1/a", at: 1_795_400_000_300 }],
    network: { requests: 13, refused: 12, bytesUp: 500, bytesDown: 9000 },
  });
});

test("a log of a fork whose workspace was lost folds to what has to be brought back", () => {
  const origin = "c_01k0zzzzzabcdefghjkm";
  const point = (last: string, letter: string) => ({
    checkpointId: `p_01k0zzzzzabcdefghjk${last}`,
    root: letter.repeat(64),
  });
  const { snapshots, changes } = foldOf("v2-fork-and-loss.jsonl");
  expect(snapshots).toEqual({
    lineage: origin,
    fork: { conversationId: origin, lineage: origin, start: point("1", "a"), from: point("2", "b") },
    start: point("1", "a"),
    latest: point("3", "d"),
    lost: true,
  });
  expect(changes).toHaveLength(1);
});

test("a log of a team's conversation folds to its team, with the ask answered for all of it", () => {
  const state = foldOf("v4-team.jsonl");
  expect(summaryOf(state)).toMatchObject({ ownerId: "u_7", teamId: "core" });
  expect(state).toMatchObject({ asks: [], network: { requests: 1, refused: 0, bytesUp: 500, bytesDown: 9000 } });
});
