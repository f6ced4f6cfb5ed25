import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeyRecord, Keys, OwnerRecord } from "../../ports/keys.ts";
import { importLiteLlmKeys } from "./import-keys.ts";
import { periodOf } from "./limits.ts";
import { rowsOfExport } from "./rows.ts";

const hash = (digit: string) => digit.repeat(64);
const EXPORT = {
  budgets: [{ budget_id: "b1", max_budget: 5, budget_duration: "7d", rpm_limit: "90" }],
  users: [{ user_id: "ann", user_email: "ann@example.org", max_budget: 20, budget_duration: "1mo", models: [] }],
  teams: [
    { team_id: "core", team_alias: "Core", tpm_limit: 5000, models: ["gpt-*"] },
    { team_id: "gone", blocked: true },
  ],
  keys: [
    {
      token: hash("a"),
      key_name: "sk-...abcd",
      key_alias: "ann's laptop",
      user_id: "ann",
      team_id: "core",
      models: ["gpt-4o"],
      expires: "2027-01-01T00:00:00",
      max_parallel_requests: 3,
      max_budget: 1.5,
      metadata: { purpose: "ci", nested: { no: 1 } },
    },
    { token: hash("b"), team_id: "core", models: ["all-team-models"], budget_id: "b1" },
    { token: hash("c"), blocked: true },
    { token: hash("d"), team_id: "gone" },
    { token: "sk-plain", key_alias: "plain" },
    { token: hash("e"), key_alias: "page", team_id: "litellm-dashboard" },
    { token: hash("f"), key_alias: "odd", max_budget: 1, budget_duration: "soon" },
    { token: 7 },
  ],
};

/** The part of the books that an import uses. */
function memoryKeys() {
  const records = new Map<string, KeyRecord>();
  const owners = new Map<string, OwnerRecord>();
  const part: Pick<Keys, "find" | "adopt" | "revoke" | "owner" | "saveOwner"> = {
    find: async (wanted) => [...records.values()].find((record) => record.hash === wanted),
    async adopt(wanted) {
      const record = { admin: false, ...wanted, id: `k${records.size + 1}`, createdAt: 0 };
      records.set(record.id, record);
      return record;
    },
    async revoke(id) {
      const record = { ...(records.get(id) as KeyRecord), revokedAt: 1 };
      records.set(id, record);
      return record;
    },
    owner: async ({ kind, id }) => owners.get(`${kind}:${id}`),
    async saveOwner(record) {
      owners.set(`${record.kind}:${record.id}`, record);
    },
  };
  return { keys: part as Keys, records: () => [...records.values()], owners: () => [...owners.values()] };
}

/** Where a time without a zone would be another one. */
const zone = process.env["TZ"];
beforeAll(() => {
  process.env["TZ"] = "America/New_York";
});
afterAll(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

describe("an import from LiteLLM", () => {
  test("takes over keys by their hashes, with owners and limits, and says what it left", async () => {
    const { keys, records, owners } = memoryKeys();
    const report = await importLiteLlmKeys(rowsOfExport(JSON.stringify(EXPORT)), keys);
    expect(report).toEqual({
      keys: 4,
      known: 0,
      users: 1,
      teams: 2,
      left: [
        "The key number 8 has something unexpected in: token.",
        "The key plain is not kept as a hash.",
        "The key page is of LiteLLM's own page.",
        "The key odd: The duration soon must be a number with s, m, h, d, w or mo.",
      ],
    });
    expect(owners()).toEqual([
      { kind: "user", id: "ann", name: "ann@example.org", limits: { budget: { usd: 20, period: "month" } } },
      { kind: "team", id: "core", name: "Core", limits: { tokensPerMinute: 5000 }, models: ["gpt-*"] },
      { kind: "team", id: "gone", name: "gone", limits: {} },
    ]);
    expect(records()).toEqual([
      {
        id: "k1",
        createdAt: 0,
        admin: false,
        hash: hash("a"),
        hint: "sk-...abcd",
        name: "ann's laptop",
        owner: { kind: "user", id: "ann" },
        teamId: "core",
        models: ["gpt-4o"],
        limits: { budget: { usd: 1.5, period: "total" }, parallel: 3 },
        expiresAt: Date.UTC(2027, 0, 1),
        metadata: { purpose: "ci" },
      },
      {
        id: "k2",
        createdAt: 0,
        admin: false,
        hash: hash("b"),
        hint: "…bbbb",
        name: "from LiteLLM",
        owner: { kind: "team", id: "core" },
        limits: { budget: { usd: 5, period: "week" }, requestsPerMinute: 90 },
      },
      {
        id: "k3",
        createdAt: 0,
        admin: false,
        hash: hash("c"),
        hint: "…cccc",
        name: "from LiteLLM",
        owner: { kind: "user", id: "litellm" },
        limits: {},
        revokedAt: 1,
      },
      {
        id: "k4",
        createdAt: 0,
        admin: false,
        hash: hash("d"),
        hint: "…dddd",
        name: "from LiteLLM",
        owner: { kind: "team", id: "gone" },
        limits: {},
        revokedAt: 1,
      },
    ]);
  });

  test("can be repeated: what is here already is left as it is", async () => {
    const { keys, records } = memoryKeys();
    const rows = rowsOfExport(JSON.stringify(EXPORT));
    await importLiteLlmKeys(rows, keys);
    const before = records();
    const again = await importLiteLlmKeys(rows, keys);
    expect([again.keys, again.known]).toEqual([0, 4]);
    expect(records()).toEqual(before);
  });

  test("never makes a budget looser", () => {
    const durations = [undefined, "30m", "24h", "1d", "2d", "7d", "1w", "14d", "30d", "1mo", "60d"];
    expect(durations.map(periodOf)).toEqual([
      "total",
      "day",
      "day",
      "day",
      "week",
      "week",
      "week",
      "month",
      "month",
      "month",
      "total",
    ]);
  });

  test("reads tables by their own names, and a list of keys alone", () => {
    const tables = { LiteLLM_VerificationToken: [1], LiteLLM_TeamTable: [2] };
    expect(rowsOfExport(JSON.stringify(tables))).toEqual({ keys: [1], users: [], teams: [2], budgets: [] });
    expect(rowsOfExport("[3]")).toEqual({ keys: [3], users: [], teams: [], budgets: [] });
    expect(() => rowsOfExport('{"keys": 1}')).toThrow("The export's keys must be a list.");
    expect(() => rowsOfExport("sk-1")).toThrow("The export is not valid JSON.");
  });
});
