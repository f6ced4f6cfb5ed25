import { expect, test } from "vitest";
import { DeploymentInfo, DeploymentInput, KeyInput, OwnerInfo, SpendFilter } from "./gateway.ts";

const LAST_DAY = Date.UTC(9999, 11, 31);

test("times that have no date of four digits are refused", () => {
  const tells = (at: number) => [
    SpendFilter.safeParse({ from: String(at) }).success,
    SpendFilter.safeParse({ to: String(at) }).success,
    KeyInput.safeParse({ name: "k", limits: {}, expiresAt: at }).success,
  ];
  expect(tells(LAST_DAY)).toEqual([true, true, true]);
  expect(tells(LAST_DAY + 1)).toEqual([false, false, false]);
});

test("lists show what configurations and other doors let in, and what the form would refuse", () => {
  const limits = { budget: { usd: 0, period: "day" }, requestsPerMinute: 0 };
  const place = {
    id: "d",
    name: "a name",
    provider: "openai",
    model: "m",
    prices: { inputUsdPerMillion: 2_000_000 },
    hasKey: false,
    source: "configuration",
    priced: true,
    health: { state: "unused", calls: 0, failures: 0, p50Ms: null },
  };
  const owner = { kind: "user", id: "u".repeat(200), name: "", limits, standings: [], spentUsd: 0 };
  expect(DeploymentInfo.parse(place)).toEqual(place);
  expect(OwnerInfo.parse(owner)).toEqual(owner);
  const { id: _id, hasKey: _hasKey, source: _source, priced: _priced, health: _health, ...input } = place;
  expect(DeploymentInput.safeParse(input).error?.issues.map(({ path }) => path.join("."))).toEqual([
    "name",
    "prices.inputUsdPerMillion",
  ]);
});
