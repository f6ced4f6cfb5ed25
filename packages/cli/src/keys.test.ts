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
