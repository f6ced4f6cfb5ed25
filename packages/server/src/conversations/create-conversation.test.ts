import type { Append } from "@handrail/core/ports/log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import type { Fork } from "@handrail/protocol/checkpoints";
import { expect, test } from "vitest";
import { createConversation, type CreateParts, type NewConversation } from "./create-conversation.ts";

const DEFAULTS = { limits: { maxCostUsd: 50, maxSteps: 900 }, runLimits: { maxCostUsd: 20, maxTimeMs: 60_000 } };

async function limitsOf(wanted: Partial<NewConversation>) {
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
    backends: { preferred: async () => "process" },
    checkSource: async () => undefined,
    defaults: {
      ...DEFAULTS,
      image: undefined,
      network: { type: "none" },
      unsandboxed: false,
      profile: "default",
      profiles: ["default"],
    },
    wake: () => undefined,
    clock: testClock({ skipUpToMs: 0 }),
    newId: (prefix) => `${prefix}_00000000000000000000`,
    idFor: () => "c_00000000000000000000",
  };
  await createConversation(parts, { ownerId: "u", source: { type: "empty" }, ...wanted }, AbortSignal.timeout(5000));
  const created = appended[0]?.events[0];
  if (created?.type !== "conversation.created") throw new Error("Nothing was created.");
  return { limits: created.limits, runLimits: created.runLimits };
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
  expect(await limitsOf({ ...like, fork })).toEqual(like);
});
