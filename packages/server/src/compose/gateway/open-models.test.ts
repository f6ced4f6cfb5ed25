import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "../../testing/server-fixture.ts";
import { lazyDemoModel } from "../models.ts";
import { openModels } from "./open-models.ts";

let directory = "";
const opened: { close(): Promise<void> }[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-models-"));
});
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
  rmSync(directory, { recursive: true });
});

async function fixture(argv: readonly string[] = []): Promise<ServerFixture> {
  const server = await serverFixture({ argv });
  opened.push(server);
  return server;
}

async function modelsOf({ config, state }: ServerFixture) {
  const made = await openModels({ ...state, config, demo: lazyDemoModel() });
  opened.push(made.gateway);
  return made.models;
}

const FILE = `model_list:
  - model_name: fast
    litellm_params: {model: openai/gpt-5, api_base: "http://127.0.0.1:1/v1", api_key: none, timeout: 5}
  - model_name: "claude-*"
    litellm_params: {model: "anthropic/claude-*", api_key: none}
`;

test("conversations may name the models of the gateway's file, and are told when there is none of that name", async () => {
  const file = join(directory, "litellm.yaml");
  writeFileSync(file, FILE);
  const models = await modelsOf(await fixture(["--gateway-config", file]));
  expect((await models.list()).map(({ id, dialect, hasKey }) => [id, dialect, hasKey])).toEqual([
    ["fast", "openai", true],
    ["demo", "openai", false],
  ]);
  expect(await models.defaultId()).toBe("fast");
  await models.require("fast");
  await models.require("claude-sonnet-4-5");
  await expect(models.require("slow")).rejects.toMatchObject({
    code: "model_not_found",
    message: "There is no model slow. There are fast, claude-*.",
  });
});

test("without any model the user is told to set one", async () => {
  const models = await modelsOf(await fixture());
  await expect(models.require("slow")).rejects.toMatchObject({ code: "model_unset" });
});

test("a place's test reads its base URL as its calls do, with or without a path", async () => {
  const up = await startScriptedModel({ script: { name: "up", turns: [{ text: "Hello" }] } });
  opened.push(up);
  const { app, bearer } = await fixture();
  for (const provider of ["openai_compatible", "litellm"]) {
    for (const baseUrl of [up.baseUrl, new URL(up.baseUrl).origin]) {
      const payload = { name: "m", provider, model: "up", baseUrl };
      const added = await app.inject({ method: "POST", url: "/api/gateway/models", headers: bearer, payload });
      const { id } = added.json<{ readonly id: string }>();
      const url = `/api/gateway/models/${id}/test`;
      const tested = await app.inject({ method: "POST", url, headers: bearer, payload: {} });
      expect(tested.json()).toMatchObject({ ok: true, answer: "Hello" });
    }
  }
});

const WEAK_KEY = {
  detail: "The gateway's master key can be guessed: it has fewer than 16 characters.",
  remedy: "Take a random one, such as sk- and what `openssl rand -hex 24` prints.",
};

test("a weak master key in the gateway's file is told by the doctor, and refused where others reach the server", async () => {
  const file = join(directory, "litellm.yaml");
  writeFileSync(file, `${FILE}general_settings: {master_key: sk-1234}\n`);
  const server = await fixture(["--gateway-config", file]);
  const { app, bearer } = server;
  const found = await app.inject({ url: "/api/doctor", headers: bearer });
  const { findings } = found.json<{ readonly findings: readonly { readonly name: string }[] }>();
  expect(findings.filter(({ name }) => name === "Gateway")).toEqual([
    { name: "Gateway", state: "warning", ...WEAK_KEY },
  ]);
  for (const reached of [{ host: "0.0.0.0" }, { publicUrl: "https://handrail.example.org" }]) {
    const config = { ...server.config, ...reached };
    await expect(modelsOf({ ...server, config })).rejects.toMatchObject({ code: "config_invalid" });
    await modelsOf({ ...server, config: { ...config, gateway: { ...config.gateway, weakMasterKey: true } } });
  }
});

test("the doctor says nothing of a random master key, which is served wherever the server listens", async () => {
  const file = join(directory, "litellm.yaml");
  writeFileSync(file, `${FILE}general_settings: {master_key: sk-Xq7rT2mK9pLw4ZbC8vN3}\n`);
  const { app, bearer } = await fixture(["--gateway-config", file, "--host", "0.0.0.0"]);
  const found = await app.inject({ url: "/api/doctor", headers: bearer });
  expect(found.statusCode).toBe(200);
  expect(found.body).not.toContain("Gateway");
});
