import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJournal } from "@handrail/core/journal";
import { sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../clock.ts";
import { noteLock, openRestoredState, type RestoredState } from "./restored-state.ts";

const DAY_MS = 24 * 3_600_000;
const BACKUP = 1_800_000_000_000;
const RESTORED = BACKUP + DAY_MS;

/** A state directory whose last event was at the time of the backup. */
async function setUp() {
  const home = await mkdtemp(join(tmpdir(), "handrail-restored-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const store = memoryLogStore();
  await createJournal(store, { ...systemClock, now: () => BACKUP }, sampleCreated());
  const open = (lock: string, nowMs: number) => openRestoredState(home, lock, { store, nowMs });
  return { home, open };
}

/** Which of conversations made so long after the backup may be missed. */
const missed = ({ mayMiss }: RestoredState, ...afterMs: readonly number[]) =>
  afterMs.map((ms) => mayMiss(newId("c", BACKUP + ms)));

test("a state directory that stayed where it was misses nothing", async () => {
  const { open } = await setUp();
  await open("1-1", BACKUP);
  const again = await open("1-1", RESTORED);
  expect([missed(again, -1, 1, DAY_MS), again.warning]).toEqual([[false, false, false], undefined]);
});

test("one whose lock was put back after somebody had removed it stayed where it was", async () => {
  const { home, open } = await setUp();
  await noteLock(home, "0-0");
  await open("1-1", BACKUP);
  await noteLock(home, "2-2");
  const again = await open("2-2", RESTORED);
  expect([missed(again, 1, DAY_MS), again.warning]).toEqual([[false, false], undefined]);
});

test("a restored one may miss what was made between its last event and its restoration, for a month, and says so once", async () => {
  const { open } = await setUp();
  await open("1-1", BACKUP);
  const restored = await open("2-2", RESTORED);
  expect(missed(restored, -DAY_MS, 1, DAY_MS, DAY_MS + 1)).toEqual([false, true, true, false]);
  expect(restored.warning).toMatch(
    /^The state directory was restored or moved\. Workspaces made between 2027-01-15T08:00/,
  );
  const later = await open("2-2", RESTORED + 20 * DAY_MS);
  expect([missed(later, 1, DAY_MS + 1), later.warning]).toEqual([[true, false], undefined]);
  expect(missed(await open("2-2", RESTORED + 31 * DAY_MS), 1)).toEqual([false]);
});

test("what is no conversation's id is not missed", async () => {
  const { open } = await setUp();
  await open("1-1", BACKUP);
  const { mayMiss } = await open("2-2", RESTORED);
  expect(["", "c_", "probe-1", "c_kept"].map(mayMiss)).toEqual([false, false, false, false]);
});
