import type { Append } from "@handrail/core/ports/log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import type { Fork } from "@handrail/protocol/checkpoints";
import { expect, test } from "vitest";
import { createConversation, type CreateParts, type NewConversation } from "./create-conversation.ts";

const DEFAULTS = { limits: { maxCostUsd: 50, maxSteps: 900 }, runLimits: { maxCostUsd: 20, maxTimeMs: 60_000 } };

/** docker has all profiles, process no dev, and containerd does not work. */
const BACKENDS: CreateParts["backends"] = {
  preferred: async () => "process",
  async healthOf(name) {
    if (name === "containerd") return { name, works: false, detail: "It is gone.", profiles: [] };
    const profiles = (["strict", "default", "dev"] as const).filter((one) => one !== "dev" || name === "docker");
    return { name, works: true, detail: "no profile dev: it is old", profiles };
  },
};

async function limitsOf(wanted: Partial<NewConversation>) {
  const { limits, runLimits } = await created(wanted);
  return { limits, runLimits };
}

async function created(wanted: Partial<NewConversation>, changes: Partial<CreateParts> = {}) {
  const appended: Append[] = [];
  const parts: CreateParts = {
    store: {
      append: async (append) => {
        appended.push(append);
        return [];
      },
    },
    models: {
      list: async () => [],
      defaultId: async () => "some",
      require: async () => undefined,
      open: () => Promise.reject(new Error("No model is asked for.")),
    },
    backends: BACKENDS,
    checkSource: async () => undefined,
    defaults: {
      ...DEFAULTS,
      image: undefined,
      network: { type: "none" },
      unsandboxed: false,
      profile: "default",
      profiles: ["strict", "default", "dev"],
    },
    wake: () => undefined,
    clock: testClock({ skipUpToMs: 0 }),
    newId: (prefix) => `${prefix}_00000000000000000000`,
    claim: () => ({ id: "c_00000000000000000000", spare: false, giveUp: () => undefined }),
    ...changes,
  };
  await createConversation(parts, { ownerId: "u", source: { type: "empty" }, ...wanted }, AbortSignal.timeout(5000));
  const first = appended[0]?.events[0];
  if (first?.type !== "conversation.created") throw new Error("Nothing was created.");
  return first;
}

test("a limit that is said leaves the server's other limits as they are", async () => {
  expect(await limitsOf({})).toEqual(DEFAULTS);
  expect(await limitsOf({ limits: { maxSteps: 3 }, runLimits: { maxTokens: 7 } })).toEqual({
    limits: { maxCostUsd: 50, maxSteps: 3 },
    runLimits: { maxCostUsd: 20, maxTimeMs: 60_000, maxTokens: 7 },
  });
});

test("a fork has its origin's limits, and none that were taken away there", async () => {
  const origin = "c_00000000000000000001";
  const point = { checkpointId: "p_00000000000000000000", root: "0".repeat(64) };
  const fork: Fork = { conversationId: origin, lineage: origin, start: point, from: point };
  const like = { limits: {}, runLimits: { maxSteps: 4 } };
  expect(await limitsOf({ ...like, fork: async () => fork })).toEqual(like);
});

test("a profile that the backend does not have is refused with a sentence, before anything is written", async () => {
  for (const sandbox of [{ profile: "dev" }, { backend: "process", profile: "dev" }] as const) {
    await expect(created({ sandbox })).rejects.toMatchObject({
      code: "bad_request",
      message:
        "Sandboxes of process do not have the profile dev here (no profile dev: it is old). Choose another profile, one of strict, default, or another backend.",
    });
  }
  expect((await created({ sandbox: { backend: "docker", profile: "dev" } })).sandbox.profile).toBe("dev");
});

test("a backend that does not work now takes a conversation with any profile: it may work when it is needed", async () => {
  const sandbox = { backend: "containerd", profile: "dev" } as const;
  expect((await created({ sandbox })).sandbox).toEqual({ ...sandbox, network: { type: "none" } });
});

/** A pool with one spare. Tells for what it was claimed, and whether it was given up. */
function onePool() {
  const told: unknown[] = [];
  const claim: CreateParts["claim"] = (choice) => {
    told.push(choice);
    return { id: "c_00000000000000000002", spare: true, giveUp: () => void told.push("given up") };
  };
  return { told, claim };
}

test("a spare is claimed for what the conversation's sandbox will be, and the log says that its id is a spare's", async () => {
  const { told, claim } = onePool();
  const source = { type: "git", url: "https://git.example/a.git" } as const;
  const first = await created({ source, sandbox: { image: "debian:12" } }, { claim });
  expect(first).toMatchObject({ conversationId: "c_00000000000000000002", source, spare: true });
  expect(told).toEqual([{ backend: "process", image: "debian:12", network: { type: "none" } }]);
  expect(await created({})).not.toHaveProperty("spare");
});

test("a spare whose conversation cannot be made is given up", async () => {
  const full = async () => {
    throw new Error("full");
  };
  for (const [wanted, changes] of [
    [{}, { store: { append: full } }],
    [{ fork: full }, {}],
  ] as const) {
    const { told, claim } = onePool();
    await expect(created(wanted, { ...changes, claim })).rejects.toThrow("full");
    expect(told).toEqual([expect.anything(), "given up"]);
  }
  const { told, claim } = onePool();
  await expect(created({}, { checkSource: full, claim })).rejects.toThrow("full");
  expect(told).toEqual([]);
});
