import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";
import type { Deployment } from "../../ports/deployment.ts";
import { nodePackages, type Packages, pythonPackages } from "./client-packages.ts";
import { type OpenGateway, openGateway } from "./open-gateway.ts";
import { runClient } from "./run-client.ts";
import { CLIENT_SCRIPTS } from "./scripts.ts";

const INSTALL_MS = 600_000;
const RUN_MS = 180_000;

/** A model behind the gateway, by the format in which it is asked there. */
const UPSTREAMS = [
  { name: "by-chat", embeds: true, counts: true },
  { name: "by-messages", counts: true },
  { name: "by-responses", embeds: true, counts: true },
] as const;

const TEXT = "Hello from the script, à bientôt 👋.";
const CALLS = [
  ["weather", { city: "Bern" }],
  ["weather", { city: 'São "Paulo"\n' }],
];
const USAGE = [120, 24];
const STRUCTURED = { city: "Bern", degrees: 21.5 };
const IMAGE = { text: "A red dot." };

const OPENAI = {
  chat: { text: TEXT, finish: "stop", usage: USAGE },
  stream: { text: TEXT, finish: "stop", usage: USAGE },
  tools: { calls: CALLS, text: "It is sunny." },
  streamedTools: { text: "Let me look.", calls: CALLS },
  image: IMAGE,
  structured: STRUCTURED,
  errors: {
    limited: ["RateLimitError", 429],
    invalid: ["BadRequestError", 400],
    broken: ["InternalServerError", 500],
    unknown: ["NotFoundError", 404],
    key: ["AuthenticationError", 401],
  },
};
const RESPONSES = { text: "Let me look.", calls: CALLS, usage: USAGE };
const EMBEDDINGS = { count: 2, numbers: true };

const ANTHROPIC = {
  ...OPENAI,
  chat: { text: TEXT, finish: "end_turn", usage: USAGE },
  stream: { text: TEXT, finish: "end_turn", usage: USAGE },
  countTokens: { counted: true },
  errors: {
    limited: ["RateLimitError", 429, "error"],
    invalid: ["BadRequestError", 400, "error"],
    broken: ["InternalServerError", 500, "error"],
    unknown: ["NotFoundError", 404, "error"],
    key: ["AuthenticationError", 401, "error"],
  },
};

const AI_SDK = {
  ...OPENAI,
  tools: { text: "It is sunny.", calls: CALLS },
  streamedTools: { text: "It is sunny.", calls: CALLS },
  errors: {
    limited: ["AI_APICallError", 429, true],
    invalid: ["AI_APICallError", 400, false],
    broken: ["AI_APICallError", 500, true],
    unknown: ["AI_APICallError", 404, false],
    key: ["AI_APICallError", 401, false],
  },
};

type Upstream = (typeof UPSTREAMS)[number];
const embeds = (upstream: Upstream, wanted: object) => ({ embeddings: "embeds" in upstream ? wanted : "none" });

let node: Packages;
let python: Packages;
let model: ScriptedModel;
let gateway: OpenGateway;

beforeAll(async () => {
  [node, python] = await Promise.all([nodePackages(), pythonPackages()]);
}, INSTALL_MS);

beforeAll(async () => {
  model = await startScriptedModel({ script: CLIENT_SCRIPTS, apiKey: "sk-up" });
  const place = { apiKey: "sk-up", model: "*", prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } };
  const places: readonly Deployment[] = [
    { ...place, id: "chat", name: "by-chat/*", provider: "openai_compatible", baseUrl: model.baseUrl },
    { ...place, id: "messages", name: "by-messages/*", provider: "anthropic", baseUrl: model.anthropicBaseUrl },
    {
      ...place,
      id: "responses",
      name: "by-responses/*",
      provider: "openai",
      formats: ["responses", "embeddings"],
      baseUrl: model.baseUrl,
    },
  ];
  gateway = await openGateway(places);
});

afterAll(async () => {
  await gateway.close();
  await model.close();
});

async function results(context: TestContext, driver: string, more: object = {}) {
  const packages = driver.endsWith(".py") ? python : node;
  if ("missing" in packages) {
    process.stderr.write(`${driver} was not tried: ${packages.missing}\n`);
    return context.skip(packages.missing);
  }
  const settings = { baseUrl: gateway.url, key: gateway.masterKey, upstreams: UPSTREAMS, ...more };
  return runClient(driver, packages.directory, settings);
}

const forEach = (wanted: (upstream: Upstream) => object) =>
  Object.fromEntries(UPSTREAMS.map((upstream) => [upstream.name, wanted(upstream)]));

describe("a client that others wrote gets from each kind of model what it would get from its own:", () => {
  test("openai of npm", { timeout: RUN_MS }, async (context) => {
    expect(await results(context, "openai-npm.mjs")).toEqual(
      forEach((upstream) => ({
        ...OPENAI,
        responses: RESPONSES,
        streamedResponses: { text: TEXT, done: true },
        ...embeds(upstream, { ...EMBEDDINGS, usage: true }),
      })),
    );
  });

  test("@anthropic-ai/sdk", { timeout: RUN_MS }, async (context) => {
    expect(await results(context, "anthropic-npm.mjs")).toEqual(forEach(() => ANTHROPIC));
  });

  test("ai with @ai-sdk/openai-compatible", { timeout: RUN_MS }, async (context) => {
    expect(await results(context, "ai-sdk.mjs")).toEqual(
      forEach((upstream) => ({ ...AI_SDK, ...embeds(upstream, EMBEDDINGS) })),
    );
  });

  test("ai with @ai-sdk/anthropic", { timeout: RUN_MS }, async (context) => {
    expect(await results(context, "ai-sdk.mjs", { provider: "anthropic" })).toEqual(
      forEach(() => ({ ...AI_SDK, embeddings: "none" })),
    );
  });

  test("openai of PyPI", { timeout: RUN_MS }, async (context) => {
    expect(await results(context, "openai_pypi.py")).toEqual(
      forEach((upstream) => ({ ...OPENAI, responses: RESPONSES, ...embeds(upstream, EMBEDDINGS) })),
    );
  });

  test("litellm of PyPI", { timeout: RUN_MS }, async (context) => {
    expect(await results(context, "litellm_pypi.py")).toEqual(
      forEach((upstream) => ({ ...OPENAI, ...embeds(upstream, EMBEDDINGS) })),
    );
  });

  test("and each answer is in the books at what the model said that it used", async () => {
    await gateway.books.ledger.flush();
    const entries = await gateway.books.ledger.entries({}, { limit: 1000 });
    const answered = entries.filter(({ outcome, format }) => outcome === "ok" && format !== "embeddings");
    const said = answered.map(({ costUsd, estimated, priced }) => ({ costUsd, estimated, priced }));
    expect(said).toEqual(answered.map(() => ({ costUsd: 0.000168, estimated: false, priced: true })));
    const served = model.requests().filter(({ text }) => /"(chat|tools|image|structured)"/.test(text)).length;
    const counted = model.requests().filter(({ path }) => path.endsWith("/count_tokens")).length;
    expect(answered).toHaveLength(served - counted);
  });
});
