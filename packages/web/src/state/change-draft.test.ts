import type { NetworkRule } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { changeDraft, readChange } from "./change-draft.ts";
import { NO_LIMITS } from "./limit-draft.ts";

const RULE: Extract<NetworkRule, { type: "allow" }> = {
  type: "allow",
  presets: ["npm", "git"],
  hosts: ["a.org", ".b.org"],
};
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

test("a network choice becomes a rule, kinds of request included", () => {
  const requests = [{ host: "api.c.org", methods: ["GET"], path: "/v1/**" }];
  const before = settings({ ...RULE, requests });
  const draft = changeDraft(before);
  expect(draft.hosts).toBe("a.org .b.org GET api.c.org/v1/**");
  expect(readChange(before, { ...draft, network: "none" })).toEqual({ network: { type: "none" } });
  expect(readChange(before, { ...draft, network: "everything" })).toEqual({
    network: { type: "allow", presets: ["everything"], hosts: [] },
  });
  expect(readChange(before, { ...draft, presets: ["git"], hosts: "a.org, D.org:81 GET api.c.org/v1/**" })).toEqual({
    network: { type: "allow", presets: ["git"], hosts: ["a.org", "d.org:81"], requests },
  });
  expect(readChange(before, { ...draft, hosts: "a.org" })).toEqual({
    network: { type: "allow", presets: ["npm", "git"], hosts: ["a.org"] },
  });
  expect(readChange(before, { ...draft, hosts: "https://a.org" })).toContain("A host is a name such as");
});

test("what was allowed while the form was open stays allowed", () => {
  const shown = settings();
  const requests = [{ host: "c.org", port: 443, methods: ["GET"], path: "/a" }];
  const now = settings({ ...RULE, hosts: [...RULE.hosts, "new.org"], requests });
  const draft = changeDraft(shown);
  expect(readChange(shown, { ...draft, model: "other" }, now)).toEqual({ model: "other" });
  expect(readChange(shown, { ...draft, hosts: ".b.org" }, now)).toEqual({
    network: { type: "allow", presets: ["npm", "git"], hosts: [".b.org", "new.org"], requests },
  });
});
