import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { createJournal } from "./journal.ts";
import { openSandbox } from "./open-sandbox.ts";
import type { SandboxBackend } from "./ports/sandbox.ts";
import { sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const never = new AbortController().signal;

async function conversation() {
  const clock = testClock();
  const journal = await createJournal(memoryLogStore(), clock, sampleCreated());
  return { clock, journal };
}

function backend(change: Partial<SandboxBackend>): SandboxBackend {
  const nothing = async () => undefined;
  return {
    name: "process",
    health: async () => ({ name: "process", works: true, detail: "" }),
    hasWorkspace: async () => false,
    find: nothing,
    start: async () => scriptedSandbox(),
    stop: nothing,
    remove: nothing,
    collect: nothing,
    close: nothing,
    ...change,
  };
}

test("the first sandbox gets the seed, and the seed is disposed of, also when the start fails", async () => {
  const { clock, journal } = await conversation();
  const seeds: (string | undefined)[] = [];
  let disposed = 0;
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => void (disposed += 1) });
  const start: SandboxBackend["start"] = async (spec) => {
    seeds.push(spec.seedDirectory);
    if (seeds.length === 1) throw new AppError("sandbox_failed", "no");
    return scriptedSandbox();
  };
  const open = () => openSandbox({ journal, backend: backend({ start }), prepareSeed, clock }, () => undefined, never);

  await expect(open()).rejects.toMatchObject({ code: "sandbox_failed" });
  await open();

  expect({ seeds, disposed }).toEqual({ seeds: ["/seed", "/seed"], disposed: 2 });
  expect(journal.state.workspace).toEqual({ commit: undefined, branch: undefined, files: 0 });
});

test("a workspace that has vanished is said to be gone, not replaced by an empty one", async () => {
  const { clock, journal } = await conversation();
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => undefined });
  const ports = { journal, backend: backend({}), prepareSeed, clock };
  await openSandbox(ports, () => undefined, never);

  await expect(openSandbox(ports, () => undefined, never)).rejects.toMatchObject({ code: "workspace_gone" });
});

test("an image without git is said once, and work goes on", async () => {
  const { clock, journal } = await conversation();
  const sandbox = scriptedSandbox({
    "workspace.begin": () => {
      throw new AppError("git_missing", "no git");
    },
  });
  const prepareSeed = async () => ({ directory: "/seed", dispose: async () => undefined });
  const ports = { journal, backend: backend({ start: async () => sandbox }), prepareSeed, clock };

  expect(await openSandbox(ports, () => undefined, never)).toBe(sandbox);
  expect(journal.state.workspace).toEqual({ commit: undefined, branch: undefined, files: 0 });
});
