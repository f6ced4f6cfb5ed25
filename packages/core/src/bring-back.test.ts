import type { FileChange } from "@handrail/protocol/changes";
import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { beginFork } from "./bring-back.ts";
import { createJournal } from "./journal.ts";
import type { OpenSandbox } from "./open-sandbox.ts";
import { SAMPLE_ID, sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const TOLD: FileChange = { path: "told", status: "added", added: 1, removed: 0, binary: false };
const SEEN: FileChange = { ...TOLD, path: "seen" };
const signal = new AbortController().signal;
const point = (digit: string) => ({ checkpointId: `p_${digit.repeat(20)}`, root: digit.repeat(64) });

/** What a fork says changed, when its log begins with `changes` and these paths of its two restores failed. */
async function forked(changes: readonly FileChange[] | undefined, failed: readonly (readonly string[])[]) {
  const points = { start: point("1"), from: point("2") };
  const known = changes === undefined ? {} : { changes: [...changes] };
  const fork = { conversationId: SAMPLE_ID, lineage: SAMPLE_ID, ...points, ...known };
  const journal = await createJournal(memoryLogStore(), testClock(), sampleCreated({ fork }));
  const broken = async () => Promise.reject(new AppError("internal", "unused"));
  const roots: string[] = [];
  const snapshots = {
    keep: broken,
    rootNow: broken,
    keepStep: broken,
    forgetStep: broken,
    restore: async (_state: unknown, _sandbox: unknown, root: string) => {
      roots.push(root);
      return { written: 0, removed: 0, failed: failed[roots.length - 1] ?? [] };
    },
  };
  const sandbox = scriptedSandbox({ "workspace.changes": () => ({ tree: "", changes: [SEEN] }) });
  const parts = { journal, snapshots } as unknown as OpenSandbox;
  const [event] = await beginFork(parts, sandbox, signal, async () => []);
  expect(roots).toEqual([points.start.root, points.from.root]);
  return event?.type === "workspace.restored" ? event.changes : undefined;
}

test("a fork says what its origin's log says that changed", async () => {
  expect(await forked([TOLD], [])).toEqual([TOLD]);
  expect(await forked([], [])).toEqual([]);
});

test("a fork looks at its files when that is not known, or not all of them are there", async () => {
  expect(await forked(undefined, [])).toEqual([SEEN]);
  expect(await forked([TOLD], [["a: EACCES"]])).toEqual([SEEN]);
  expect(await forked([TOLD], [[], ["a: EACCES"]])).toEqual([SEEN]);
});
