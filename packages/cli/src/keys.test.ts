import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, answeringServer } from "./testing/answering-server.ts";

let server: AnsweringServer;

const INFO = {
  id: "v_1",
  hint: "sk-…abcd",
  name: "ci",
  owner: { kind: "user", id: "local" },
  limits: { budget: { usd: 5, period: "day" } },
  standings: [],
  spentUsd: 1.25,
  createdAt: 1,
  admin: false,
  cache: "off",
};
const ROW = {
  group: "m",
  label: "m",
  calls: 2,
  failed: 0,
  cached: 0,
  promptTokens: 1200,
  answerTokens: 34,
  cacheReadTokens: 0,
  costUsd: 0.0125,
  savedUsd: 0,
  unpriced: 1,
};
const ANSWERS = {
  "GET /api/gateway/keys": { keys: [INFO] },
  "POST /api/gateway/keys": { key: "sk-the-key", info: INFO },
  "POST /api/gateway/keys/v_1/rotate": { key: "sk-the-next", info: INFO },
  "POST /api/gateway/keys/import": {
    keys: 2,
    known: 1,
    users: 1,
    teams: 0,
    left: ["The key plain is not kept as a hash."],
  },
  "DELETE /api/gateway/keys/v_1": INFO,
  "GET /api/gateway/spend": { rows: [ROW] },
};

beforeEach(async () => {
  server = await answeringServer(ANSWERS);
});
afterEach(() => server.close());

const run = (...argv: readonly string[]) => server.run(argv);

test("a key is made with its limits, and stdout holds it alone", async () => {
  const made = await run("keys", "create", "ci", "--models", "fast", "claude-*", "--budget", "5", "--period", "day");
  expect(made).toEqual({
    code: 0,
    out: "sk-the-key\n",
    err: `v_1: use it at ${server.url}/v1. It is not shown again.\n`,
  });
  expect(server.requests).toEqual([
    [
      "POST /api/gateway/keys",
      { name: "ci", models: ["fast", "claude-*"], limits: { budget: { usd: 5, period: "day" } } },
    ],
  ]);
});

test("with --json the key is one object, made or replaced", async () => {
  expect(await run("keys", "create", "ci", "--json")).toEqual({
    code: 0,
    out: `{"key":"sk-the-key","id":"v_1"}\n`,
    err: "",
  });
  expect(await run("keys", "rotate", "v_1", "--keep-old", "1h", "--json")).toMatchObject({
    out: `{"key":"sk-the-next","id":"v_1"}\n`,
  });
  expect(server.requests.at(-1)).toEqual(["POST /api/gateway/keys/v_1/rotate", { keepOldForMs: 3_600_000 }]);
});

test("keys are listed with spend and budget, and revoked by id", async () => {
  expect(await run("keys", "list")).toEqual({
    code: 0,
    out: "v_1  sk-…abcd          active        $1.25 of $5.00 a day      ci\n",
    err: "",
  });
  expect(await run("keys", "revoke", "v_1")).toEqual({ code: 0, out: "", err: "ci is revoked.\n" });
});

test("a LiteLLM's keys are imported from an export, an address, or a file with an address", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "handrail-import-"));
  const [rows, address] = [path.join(home, "rows.json"), path.join(home, "address")];
  writeFileSync(rows, '{"keys":[]}');
  writeFileSync(address, "postgres://one:secret@db/litellm\n");
  expect(await run("keys", "import", "--from", rows)).toEqual({
    code: 0,
    out: "The key plain is not kept as a hash.\n",
    err: "Taken over: 2 keys, 1 user, 0 teams. Here already: 1 key. Left: 1 row.\n",
  });
  await run("keys", "import", "--from", address, "--json");
  await run("keys", "import", "--from", "postgresql://db/litellm");
  expect(server.requests.map((request) => (request as readonly unknown[])[1])).toEqual([
    { export: '{"keys":[]}' },
    { database: "postgres://one:secret@db/litellm" },
    { database: "postgresql://db/litellm" },
  ]);
  expect(await run("keys", "import", "--from", path.join(home, "none"))).toMatchObject({ code: 2 });
  rmSync(home, { recursive: true });
});

test("spend is printed with its sum, and says what it does not know", async () => {
  expect(await run("spend", "--by", "model", "--since", "7d")).toEqual({
    code: 0,
    out: "   $0.0125  2 calls         1,200 in, 34 out                  m\n",
    err: "$0.0125 for 2 calls, 1 call of unknown price not counted\n",
  });
});

test.each([
  [["keys", "create", "ci", "--budget", "much"], "Give an amount"],
  [["keys", "create", "ci", "--period", "year"], "Allowed choices"],
  [["spend", "--by", "mood"], "Allowed choices"],
])("%j is refused with 2 and says what to give", async (argv, sentence) => {
  const { code, err } = await run(...argv);
  expect({ code, requests: server.requests }).toEqual({ code: 2, requests: [] });
  expect(err).toContain(sentence);
});
