import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterEach, expect, test } from "vitest";
import { pythonPackages } from "./client-packages.ts";
import { type LiteLlmProxy, startLiteLlm } from "./litellm-proxy.ts";
import { type OpenGateway, openGateway } from "./open-gateway.ts";
import { CLIENT_SCRIPTS } from "./scripts.ts";

const RUN_MS = 400_000;
/** Prices that no binary number holds exactly. */
const PRICES = { input_cost_per_token: 0.0000011, output_cost_per_token: 0.0000023 };
const OURS = { inputUsdPerMillion: 1.1, outputUsdPerMillion: 2.3 };
const COST = Number((120 * 1.1e-6 + 24 * 2.3e-6).toFixed(12));
const CALLS = [
  ["weather", { city: "Bern" }],
  ["weather", { city: 'São "Paulo"\n' }],
];

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).toReversed()) await one.close();
});

const kept = async <T extends { close(): Promise<void> }>(made: Promise<T>): Promise<T> => {
  const one = await made;
  closing.push(one);
  return one;
};

type Door = { readonly url: string; readonly key: string };

async function ask({ url, key }: Door, model: string, more: object = {}) {
  const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } }];
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Weather?" }], tools, ...more }),
  });
  const text = await answer.text();
  expect([answer.status, text]).toEqual([200, expect.any(String)]);
  return { text, cost: Number(answer.headers.get("x-litellm-response-cost")) };
}

type Part = { readonly index: number; readonly function: { readonly name?: string; readonly arguments?: string } };

/** The calls that a stream of Chat tells of. */
function callsIn(stream: string): unknown {
  const parts = [...stream.matchAll(/^data: (\{.*)$/gm)].flatMap(([, data = ""]) => partsOf(data));
  const whole = Map.groupBy(parts, ({ index }) => index).values();
  return [...whole].map((all) => {
    const text = (name: "name" | "arguments") => all.map((part) => part.function[name] ?? "").join("");
    return [text("name"), JSON.parse(text("arguments"))];
  });
}

const partsOf = (data: string): readonly Part[] => JSON.parse(data).choices?.[0]?.delta?.tool_calls ?? [];

async function costs({ books }: OpenGateway): Promise<readonly number[]> {
  await books.ledger.flush();
  return (await books.ledger.entries({}, { limit: 10 })).map(({ costUsd }) => costUsd);
}

const STREAMED = { stream: true, stream_options: { include_usage: true } };

test(
  "Handrail stands behind a LiteLLM and before one, streams tools through both, and both books say the same",
  {
    timeout: RUN_MS,
  },
  async (context) => {
    const packages = await pythonPackages();
    if ("missing" in packages) {
      process.stderr.write(`LiteLLM was not tried: ${packages.missing}\n`);
      return context.skip(packages.missing);
    }
    const model: ScriptedModel = await kept(startScriptedModel({ script: CLIENT_SCRIPTS, apiKey: "sk-up" }));
    const up = { id: "up", name: "tools", provider: "openai_compatible", model: "tools", prices: OURS } as const;
    const behind = await kept(openGateway([{ ...up, baseUrl: model.baseUrl, apiKey: "sk-up" }]));
    const entry = (name: string, base: string, key: string) => ({
      model_name: name,
      litellm_params: { model: "openai/tools", api_base: base, api_key: key, ...PRICES },
    });
    const list = [entry("to-handrail", `${behind.url}/v1`, behind.masterKey), entry("tools", model.baseUrl, "sk-up")];
    const proxy: LiteLlmProxy = await kept(startLiteLlm(packages.directory, list));

    const streamed = await ask(proxy, "to-handrail", STREAMED);
    expect(callsIn(streamed.text)).toEqual(CALLS);
    const whole = await ask(proxy, "to-handrail");
    expect(whole.cost).toBe(COST);
    expect(await costs(behind)).toEqual([COST, COST]);

    const place = { ...up, provider: "litellm", baseUrl: `${proxy.url}/v1`, apiKey: proxy.key } as const;
    // Another price here: what LiteLLM says counts.
    const before = await kept(openGateway([{ ...place, prices: { ...OURS, inputUsdPerMillion: 99 } }]));
    const door = { url: before.url, key: before.masterKey };
    expect((await ask(door, "tools")).cost).toBe(COST);
    expect(await costs(before)).toEqual([COST]);
    const right = await kept(openGateway([place]));
    const through = await ask({ url: right.url, key: right.masterKey }, "tools", STREAMED);
    expect(callsIn(through.text)).toEqual(CALLS);
    expect(await costs(right)).toEqual([COST]);
  },
);
