import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { KeyInfo } from "@handrail/protocol/gateway";
import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { expect } from "vitest";

/** A gateway that answers LiteLLM's management routes, over books that hold nothing yet and the models of `stageConfig`. */
export type StageDoor = {
  /** Without `/v1`. */
  readonly url: string;
  /** What may do everything, as a bearer token. */
  readonly master: string;
  readonly close: () => Promise<void>;
};

export type Fields = Record<string, unknown>;
export type MadeKey = { readonly key: string; readonly hash: string; readonly id: string };

/** What tests ask of it. */
export type LiteLlmStage = StageDoor & {
  /** `line` is a method and a path. Gives what was answered, which must be well. */
  readonly ask: (key: string, line: string, body?: unknown) => Promise<Fields>;
  /** The code by which it was refused, or `answered`. */
  readonly refusal: (key: string, line: string, body?: unknown) => Promise<string>;
  readonly madeKey: (body: object) => Promise<MadeKey>;
  /** As the page and the terminal show a key, by its id. */
  readonly shown: (id: string) => Promise<KeyInfo>;
  /** Spends a tenth of a dollar with a call to `gpt`. Gives the call's id. */
  readonly spend: (key: string) => Promise<string>;
};

/** The stage that the tests of a contract share, once it is open, and its master key. */
export type Stage = () => LiteLlmStage;
export type Master = () => string;

/** A time as LiteLLM writes it. */
export const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown;

export function litellmStage({ url, master, close }: StageDoor): LiteLlmStage {
  const send = (key: string, line: string, body?: unknown) => {
    const [method = "", path = ""] = line.split(" ");
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    return fetch(url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  };
  const ask = async (key: string, line: string, body?: unknown): Promise<Fields> => {
    const answer = await send(key, line, body);
    const text = await answer.text();
    expect([line, answer.status, answer.ok || text]).toEqual([line, answer.status, true]);
    return JSON.parse(text) as Fields;
  };
  const keys = async () => (await ask(master, "GET /api/gateway/keys"))["keys"] as readonly KeyInfo[];
  return {
    url,
    master,
    close,
    ask,
    async refusal(key, line, body) {
      const answer = await send(key, line, body);
      await answer.arrayBuffer();
      return answer.headers.get("x-handrail-error") ?? "answered";
    },
    async madeKey(body) {
      const known = new Set((await keys()).map(({ id }) => id));
      const { key } = (await ask(master, "POST /key/generate", body)) as { readonly key: string };
      const made = (await keys()).find(({ id }) => !known.has(id));
      return { key, hash: hash("sha256", key), id: made?.id ?? "none" };
    },
    async shown(id) {
      const found = (await keys()).find((key) => key.id === id);
      if (found === undefined) throw new Error(`No key is shown as ${id}.`);
      return found;
    },
    async spend(key) {
      const messages = [{ role: "user", content: "hi" }];
      const answer = await send(key, "POST /v1/chat/completions", { model: "gpt", messages, user: "eve" });
      const id = answer.headers.get("x-litellm-call-id") ?? "";
      expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
      await written(() => ask(master, `GET /spend/logs?request_id=${id}`));
      return id;
    },
  };
}

/** Books write when there is time. */
async function written(find: () => Promise<object>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (Object.keys(await find()).length > 0) return;
    await pause(10);
  }
  throw new Error("The call did not come into the books.");
}

/** The model behind `gpt`: each answer costs 0.075 and 0.025 dollars. */
export const stageModel = (): Promise<ScriptedModel> => {
  const usage = { inputTokens: 30_000, outputTokens: 2500 };
  return startScriptedModel({ script: { name: "up", turns: [], otherwise: { text: "Hello", usage } } });
};

export const STAGE_MASTER_KEY = "sk-master-of-the-file";

/** Writes a configuration of LiteLLM with `gpt`, a place of its own for other names where nobody listens, and gives its path. */
export function stageConfig(directory: string, { baseUrl }: Pick<ScriptedModel, "baseUrl">): string {
  const file = join(directory, "litellm.yaml");
  writeFileSync(
    file,
    `model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o, api_base: "${baseUrl}", api_key: sk-provider, input_cost_per_token: 0.0000025, output_cost_per_token: 0.00001}
    model_info: {id: d1, max_input_tokens: 128000}
  - model_name: other/*
    litellm_params: {model: "openai/*", api_base: "http://127.0.0.1:1/inner", api_key: sk-provider, input_cost_per_token: 0.000001}
    model_info: {id: d2}
router_settings: {num_retries: 0, allowed_fails: 0}
general_settings: {master_key: ${STAGE_MASTER_KEY}}
`,
  );
  return file;
}
