import type { NetworkRule } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { changeDraft, readChange } from "./change-draft.ts";
import { NO_LIMITS } from "./limit-draft.ts";

const RULE: NetworkRule = { type: "allow", presets: ["npm", "git"], hosts: ["a.org", ".b.org"] };
const settings = (network: NetworkRule = RULE) => ({
  model: "default",
  limits: {},
  runLimits: { maxSteps: 40 },
  sandbox: { network },
});

test("what stays as it is, is not sent", () => {
  for (const rule of [RULE, { type: "none" } as const, { ...RULE, presets: ["everything" as const] }]) {
    expect(readChange(settings(rule), changeDraft(settings(rule)))).toEqual({});
  }
});

test("each setting is sent when it is changed, and limits as a whole", () => {
  const draft = changeDraft(settings());
  expect(readChange(settings(), { ...draft, model: "other" })).toEqual({ model: "other" });
  expect(readChange(settings(), { ...draft, runLimits: { ...draft.runLimits, maxCostUsd: "2" } })).toEqual({
    runLimits: { maxSteps: 40, maxCostUsd: 2 },
  });
  expect(readChange(settings(), { ...draft, runLimits: NO_LIMITS })).toEqual({ runLimits: {} });
  expect(readChange(settings(), { ...draft, limits: { ...NO_LIMITS, maxMinutes: "x" } })).toBe(
    "The whole conversation: The time limit must be a number of minutes above 0.",
  );
});

test("a network choice becomes a rule that keeps what the form does not show", () => {
  const requests = [{ host: "api.c.org", methods: ["GET"] }];
  const before = settings({ ...RULE, requests });
  const draft = changeDraft(before);
  expect(readChange(before, { ...draft, network: "none" })).toEqual({ network: { type: "none" } });
  expect(readChange(before, { ...draft, network: "everything" })).toEqual({
    network: { type: "allow", presets: ["everything"], hosts: [] },
  });
  expect(readChange(before, { ...draft, presets: ["git"], hosts: "a.org, d.org" })).toEqual({
    network: { type: "allow", presets: ["git"], hosts: ["a.org", "d.org"], requests },
  });
});
