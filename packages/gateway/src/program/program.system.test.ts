import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import { openSqliteBooks } from "../books/open-sqlite-books.ts";
import type { LedgerEntry } from "../ports/ledger.ts";
import { scripted } from "../testing/gateway-fixture.ts";
import { askProgram, killPrograms, PROGRAM, startProgram } from "../testing/started-program.ts";

const HANDRAIL = [join(import.meta.dirname, "../../../cli/bin/handrail.mjs"), "gateway"];
const MASTER = "sk-master-of-these-programs";
const USAGE = { inputTokens: 100, outputTokens: 20 };
const PRICES = { LLM_INPUT_USD_PER_MILLION: "1", LLM_OUTPUT_USD_PER_MILLION: "2" };

let home = "";
let up: ScriptedModel;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "handrail-gateway-"));
  up = await scripted({ text: "Hello", usage: USAGE }, { text: "Slowly then", chunkSize: 1, chunkDelayMs: 60_000 });
});
afterEach(async () => {
  killPrograms();
  await up.close();
  rmSync(home, { recursive: true, force: true });
});

/** Starts the program with one model. */
const start = (command: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  startProgram(command, {
    HOME: home,
    HANDRAIL_HOME: home,
    LLM_MODEL: "up",
    LLM_BASE_URL: up.baseUrl,
    ...PRICES,
    ...env,
  });

const USER = { role: "user", content: "hi" };
const ask = (url: string, body: object, key = MASTER) => askProgram(url, body, key);

async function entries(): Promise<readonly LedgerEntry[]> {
  const books = await openSqliteBooks({ file: join(home, "gateway.sqlite") });
  try {
    return await books.ledger.entries({}, { limit: 10 });
  } finally {
    await books.close();
  }
}

test("handrail gateway answers under the model's name and as default, with a master key that it made, and ends in order", async () => {
  const { url, ends, pid } = await start(HANDRAIL);
  // No process stays that only waits for it.
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8");
  expect(commandLine).toContain("gateway/bin/gateway.mjs");
  // The space for young objects is held, which keeps a loaded gateway some 100 MB smaller.
  expect(commandLine).toContain("--max-semi-space-size=16");
  const file = join(home, "gateway-master-key");
  const key = readFileSync(file, "utf8").trim();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await ask(url, { model: "up", messages: [USER] }, "sk-other")).status).toBe(401);
  for (const model of ["up", "default"]) {
    const answer = await ask(url, { model, messages: [USER] }, key);
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "Hello" } }] });
  }
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
    /^litellm_spend_metric_total\{.*model="up".*\} 0\.00028$/m,
  );
  const headers = { authorization: `Bearer ${key}` };
  const made = await fetch(`${url}/key/generate`, { method: "POST", headers, body: '{"models":["up"]}' });
  const { key: virtual } = (await made.json()) as { key: string };
  const models = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${virtual}` } });
  expect(await models.json()).toMatchObject({ data: [{ id: "up" }] });
  const { code, out } = await ends("SIGTERM");
  expect({ code, out }).toEqual({
    code: 0,
    out: `Handrail's gateway is ready: ${url}\nIts master key is in ${file}\n`,
  });
  expect((await entries()).map(({ outcome, costUsd, ownerId }) => ({ outcome, costUsd, ownerId }))).toEqual(
    Array.from({ length: 2 }, () => ({ outcome: "ok", costUsd: 0.00014, ownerId: "admin" })),
  );
});

test("handrail keys and handrail spend manage a gateway that runs alone", async () => {
  const { url } = await start(PROGRAM);
  const handrail = (...argv: readonly string[]) => runHandrail([...argv, "--gateway", url], home);
  const made = await handrail("keys", "create", "ci", "--models", "up", "--json");
  const { key, id } = JSON.parse(made) as { readonly key: string; readonly id: string };
  expect((await ask(url, { model: "up", messages: [USER] }, key)).status).toBe(200);
  expect(await handrail("spend", "--by", "key")).toMatch(/\$0\.0001 {2}1 call .* ci\n$/);
  await handrail("keys", "revoke", id);
  expect((await ask(url, { model: "up", messages: [USER] }, key)).status).toBe(401);
});

/** What it prints. The state directory is the gateway's. @throws Error when it fails */
async function runHandrail(argv: readonly string[], state: string): Promise<string> {
  const env = { HOME: state, HANDRAIL_HOME: state };
  const { stdout } = await promisify(execFile)(process.execPath, [HANDRAIL[0] ?? "", ...argv], { env });
  return stdout;
}

test("what a call, a price, a scrape or a managing request needs is not loaded before there is one", async () => {
  const first = await start(PROGRAM);
  expect((await fetch(`${first.url}/health/readiness`)).status).toBe(200);
  await first.ends("SIGTERM");
  const told = "data:text/javascript," + encodeURIComponent(TELLS);
  const { url, ends } = await start(["--import", told, ...PROGRAM], { HANDRAIL_MASTER_KEY: MASTER });
  expect((await fetch(`${url}/health/readiness`)).status).toBe(200);
  const { err } = await ends("SIGTERM");
  const loaded = new Set([...err.matchAll(/^loads (\S+)$/gm)].map(([, name]) => name));
  expect(loaded).toContain("node:sqlite");
  const large = [
    "zod",
    "kysely",
    "undici",
    "pino",
    "prom-client",
    "@pydantic/genai-prices",
    "@opentelemetry",
    "yaml",
    "pg",
    "redis",
    "node:http",
  ];
  const among = (name: string) => large.some((whole) => name === whole || name.startsWith(`${whole}/`));
  expect([...loaded].filter((name) => among(name ?? ""))).toEqual([]);
  // The first start left its code compiled: what strips types is not needed either.
  expect(err).toContain("strips types: false");
});

/** Says what modules ask for, `node:http` with all of its exports among it. */
const TELLS = `
import { registerHooks } from "node:module";
registerHooks({
  resolve(name, context, next) {
    if (!/^(?:file:|[./])/.test(name)) process.stderr.write("loads " + name + "\\n");
    return next(name, context);
  },
});
process.on("exit", () => {
  const strips = process.moduleLoadList.some((name) => name.includes("amaro"));
  process.stderr.write("strips types: " + strips + "\\n");
});`;

test("the books are right after the program was killed in the middle of an answer", async () => {
  const first = await start(PROGRAM, { HANDRAIL_MASTER_KEY: MASTER });
  await (await ask(first.url, { model: "up", messages: [USER] })).text();
  const messages = [USER, { role: "assistant", content: "Hello" }, USER];
  const open = await ask(first.url, { model: "up", stream: true, max_tokens: 50, messages });
  const reader = open.body!.getReader();
  await reader.read();
  await first.ends("SIGKILL");
  await expect(reader.read()).rejects.toThrow();

  const second = await start(PROGRAM, { HANDRAIL_MASTER_KEY: MASTER });
  expect((await ask(second.url, { model: "up", messages: [USER] })).status).toBe(200);
  expect((await second.ends("SIGTERM")).code).toBe(0);
  const found = await entries();
  expect(found.map(({ outcome }) => outcome)).toEqual(["ok", "lost", "ok"]);
  expect(found[0]).toMatchObject({ costUsd: 0.00014, estimated: false });
  // What it may have cost at most: 50 tokens of answer, and its prompt.
  expect(found[1]!.costUsd).toBeGreaterThanOrEqual(50 * 2e-6);
  expect(found[2]).toMatchObject({ costUsd: 0.00014, estimated: false });
});

test("a config.yaml of LiteLLM names the models, their fallbacks and the master key", async () => {
  const file = join(home, "config.yaml");
  writeFileSync(
    file,
    `model_list:
  - model_name: first
    litellm_params: {model: openai/up, api_base: "http://127.0.0.1:1/v1", api_key: none, max_retries: 0}
  - model_name: second
    litellm_params: {model: openai/up, api_base: "os.environ/UP", api_key: none}
router_settings:
  fallbacks: [{first: [second]}]
general_settings: {master_key: ${MASTER}, strange: 1}
`,
  );
  const { url, ends } = await start([...PROGRAM, "--config", file], { UP: up.baseUrl, LLM_MODEL: "" });
  const answer = await ask(url, { model: "first", messages: [USER] });
  expect([answer.status, answer.headers.get("x-litellm-attempted-fallbacks")]).toEqual([200, "1"]);
  const asMaster = { headers: { authorization: `Bearer ${MASTER}`, "content-type": "application/json" } };
  const made = await fetch(`${url}/key/generate`, {
    method: "POST",
    ...asMaster,
    body: JSON.stringify({ models: ["second"] }),
  });
  const { key } = (await made.json()) as { readonly key: string };
  expect((await ask(url, { model: "second", messages: [USER] }, key)).status).toBe(200);
  expect((await ask(url, { model: "first", messages: [USER] }, key)).status).toBe(403);
  expect(await (await fetch(`${url}/cache/ping`, asMaster)).json()).toMatchObject({ cache_type: "local" });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain(`fallback_model="second"} 1`);
  const { code, err } = await ends("SIGTERM");
  expect(code).toBe(0);
  expect(err).toContain("strange");
});
