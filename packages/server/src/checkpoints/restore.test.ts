import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { createJournal } from "@handrail/core/journal";
import type { Snapshots } from "@handrail/core/ports/snapshots";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { type SandboxHandlers, scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { conversations, type ConversationParts } from "../conversations/conversations.ts";
import { restores } from "../conversations/restores.ts";
import { checkpointsOf } from "./checkpoints.ts";
import { lineagesOf } from "./lineages.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-restore-"));
afterAll(() => rmSync(directory, { recursive: true }));

const signal = new AbortController().signal;
const content = [{ type: "text" as const, text: "Go on." }];
const said = { messageId: undefined, userId: "local", content };

const NONE = { files: 0, bytes: 0, newBytes: 0, durationMs: 0, leftOut: [], leftOutCount: 0 };
const KEPT = { root: "a".repeat(64), ...NONE };

/** A conversation with one checkpoint, whose files come back at `release`, or do not at `fail`. */
async function world(handlers: SandboxHandlers = {}) {
  const store = memoryLogStore();
  const journal = await createJournal(store, systemClock, sampleCreated());
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const lineages = lineagesOf(async () => directoryStore(directory), Buffer.alloc(32, 1));
  const snapshots: Snapshots = {
    async keep({ id, snapshots: { lineage } }, _sandbox, { checkpointId, reason }) {
      await lineages.use(lineage, (one) => one.references.add({ conversationId: id, checkpointId, root: KEPT.root }));
      return { ...KEPT, reason };
    },
    rootNow: async () => KEPT.root,
    keepStep: async () => undefined,
    forgetStep: async () => undefined,
    async restore() {
      reached.resolve();
      await released.promise;
      return { written: 0, removed: 0, failed: [] };
    },
  };
  const guard = restores();
  const makeId: ConversationParts["newId"] = (prefix) => newId(prefix, Date.now());
  const common = { store, clock: systemClock, newId: makeId, restores: guard };
  const sandbox = scriptedSandbox(handlers);
  const checkpoints = checkpointsOf({
    ...common,
    journal: async () => journal,
    open: async () => sandbox,
    snapshots,
    lineages,
  });
  const woken: string[] = [];
  const users = conversations({
    ...common,
    journals: { get: async () => journal },
    runs: { wake: (id: string) => woken.push(id) },
    models: { require: async () => undefined },
  } as unknown as ConversationParts);
  const { checkpointId } = await checkpoints.create(SAMPLE_ID, signal);
  const restore = () => checkpoints.restore(SAMPLE_ID, { checkpointId }, signal);
  const fail = () => released.reject(new AppError("checkpoint_damaged", "It is damaged."));
  return { journal, users, checkpoints, restore, woken, reached: reached.promise, release: released.resolve, fail };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (thrown: AppError) => thrown.code,
  );

test("while files are restored no message and no continuation starts a run, and no other restore begins", async () => {
  const { journal, users, restore, woken, reached, release } = await world();
  const restoring = restore();
  const early = codeOf(users.addMessage(SAMPLE_ID, said));
  await reached;
  expect([
    await early,
    await codeOf(users.addMessage(SAMPLE_ID, said)),
    await codeOf(users.goOn(SAMPLE_ID, undefined)),
    await codeOf(restore()),
  ]).toEqual(["restore_active", "restore_active", "restore_active", "restore_active"]);
  release();
  await restoring;
  expect([journal.state.run, woken]).toEqual([null, []]);
  expect(await codeOf(users.addMessage(SAMPLE_ID, said))).toBe("done");
  expect(journal.state.run).not.toBeNull();
  expect(await codeOf(restore())).toBe("run_active");
});

test("a restore that fails lets messages in again", async () => {
  const { users, restore, reached, fail } = await world();
  const restoring = codeOf(restore());
  await reached;
  expect(await codeOf(users.addMessage(SAMPLE_ID, said))).toBe("restore_active");
  fail();
  expect([await restoring, await codeOf(users.addMessage(SAMPLE_ID, said))]).toEqual(["checkpoint_damaged", "done"]);
});

test("of a checkpoint that could not be compared it is said that its changes are not known", async () => {
  const fails = () => {
    throw new AppError("internal", "There is no git.");
  };
  const changes = { path: "a", status: "added", added: 2, removed: 0, binary: false } as const;
  const rowsOf = async (handler: () => unknown) => {
    const { checkpoints } = await world({ "workspace.changes": handler });
    return (await checkpoints.list(SAMPLE_ID)).map((row) => row.changes);
  };
  expect(await rowsOf(fails)).toEqual([null]);
  expect(await rowsOf(() => ({ tree: "t", changes: [changes] }))).toEqual([{ files: 1, added: 2, removed: 0 }]);
});
