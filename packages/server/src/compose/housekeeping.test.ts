import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { createJournal } from "@handrail/core/journal";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { AppError } from "@handrail/protocol/errors";
import type { BackendName } from "@handrail/protocol/sources";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../clock.ts";
import { housekeeping, type HousekeepingParts } from "./housekeeping.ts";

const NEVER_MS = 3_600_000;
const MISSED = "c_missed";

/** A server with one conversation and these backends; tells what they were asked to keep, and what was warned of. */
async function server(names: readonly BackendName[], failing: { name?: BackendName; away?: boolean } = {}) {
  const store = memoryLogStore();
  await createJournal(store, systemClock, sampleCreated());
  const collected: string[] = [];
  const kept: string[] = [];
  const warned: unknown[] = [];
  const backendOf = (name: BackendName): SandboxBackend => ({
    name,
    health: async () => ({ name, works: true, detail: "", profiles: [] }),
    hasWorkspace: async () => false,
    find: async () => undefined,
    start: async () => Promise.reject(new Error("Nothing is started.")),
    stop: async () => undefined,
    remove: async () => undefined,
    collect: async (keep) => {
      collected.push(name);
      kept.push(...[SAMPLE_ID, MISSED, "c_other"].filter((id) => keep.has(id)));
      if (failing.name === name) throw new AppError("sandbox_failed", "busy");
    },
    close: async () => undefined,
  });
  const works = () => names.filter((name) => !(failing.away === true && failing.name === name));
  const parts = {
    store,
    kept: undefined,
    mayMiss: (id: string) => id === MISSED,
    setup: { cacheBytes: 0 },
    idleMs: NEVER_MS,
    log: { warn: (about: unknown) => warned.push(about), debug: () => undefined, info: () => undefined },
    backends: {
      get: async (name: BackendName) => backendOf(name),
      health: async () => works().map((name) => ({ name, works: true, detail: "", profiles: [] })),
    },
    host: {
      runs: { wake: () => undefined, isDriven: () => false },
      pool: { keepIn: () => () => undefined, claimedBefore: () => [] },
      sandboxes: { unusedSince: () => [] },
    },
    stopIdleEveryMs: NEVER_MS,
  } as unknown as HousekeepingParts;
  const keep = (times: Pick<HousekeepingParts, "collectAfterMs" | "collectEveryMs">) => {
    const keeping = housekeeping({ ...parts, ...times });
    onTestFinished(() => keeping.stop());
    return keeping;
  };
  return { keep, collected, kept, warned, failing };
}

test("a backend that cannot be tidied is told, and keeps no other from it", async () => {
  const { keep, collected, warned } = await server(["docker", "process"], { name: "docker" });
  keep({ collectAfterMs: 0, collectEveryMs: NEVER_MS });
  await expect.poll(() => collected).toEqual(["docker", "process"]);
  expect(warned).toEqual([{ err: new AppError("sandbox_failed", "busy"), backend: "docker" }]);
});

test("leftovers are looked for again and again: a daemon that was away at the start is tidied once it is back", async () => {
  const { keep, collected, failing } = await server(["docker", "process"], { name: "docker", away: true });
  const keeping = keep({ collectAfterMs: NEVER_MS, collectEveryMs: 10 });
  await expect.poll(() => collected).toContain("process");
  expect(collected).not.toContain("docker");
  delete failing.name;
  await expect.poll(() => collected).toContain("docker");
  keeping.stop();
});

test("what conversations have that the store may miss stays", async () => {
  const { keep, kept } = await server(["docker"]);
  keep({ collectAfterMs: 0, collectEveryMs: NEVER_MS });
  await expect.poll(() => kept).toEqual([SAMPLE_ID, MISSED]);
});
