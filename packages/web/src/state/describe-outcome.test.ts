import { NETWORK_REASONS } from "@handrail/protocol/network-reasons";
import { expect, test } from "vitest";
import { describeOutcome } from "./describe-outcome.ts";

const request = {
  at: 1,
  method: "CONNECT",
  host: "a.test",
  port: 443,
  bytesUp: 0,
  bytesDown: 0,
  durationMs: 1,
  allowed: true,
};

test("what a rule let through and did not come through has failed, and says why in a sentence", () => {
  const rule = "host a.test (repository)";
  expect(describeOutcome({ ...request, rule })).toEqual({
    outcome: "allowed",
    detail: "by the rule host a.test (repository)",
  });
  expect(describeOutcome({ ...request, rule: "once" })).toEqual({ outcome: "allowed", detail: "once, by the user" });
  expect(describeOutcome({ ...request, rule, reason: "name_unresolved" })).toEqual({
    outcome: "failed",
    detail: "The name of the host could not be resolved.",
  });
  expect(describeOutcome({ ...request, allowed: false, reason: "host_not_allowed" })).toEqual({
    outcome: "refused",
    detail: "No rule allows this host.",
  });
  expect(describeOutcome({ ...request, allowed: false, reason: "constructor" }).detail).toBe(
    "The reason is constructor.",
  );
});

test("no code is shown where there is a sentence for it", () => {
  for (const reason of Object.keys(NETWORK_REASONS)) {
    expect(describeOutcome({ ...request, reason }).detail).toMatch(/^[A-Z][^_]+\.$/);
  }
});
