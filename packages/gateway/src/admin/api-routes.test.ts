import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GATEWAY_ROUTES } from "@handrail/protocol/gateway-routes";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteBooks } from "../books/open-sqlite-books.ts";
import { catalogOf } from "../catalog/catalog.ts";
import { createGateway } from "../gateway.ts";
import type { Books } from "../ports/books.ts";
import { addressOf, listen } from "../program/listen.ts";
import { sampleAdmission, sampleScope, sampleSettlement } from "../testing/books-samples.ts";
import { flatPrices } from "../testing/gateway-fixture.ts";
import { apiRoutes } from "./api-routes.ts";
import { API_TABLE } from "./api-table.ts";

const NOW = Date.UTC(2026, 10, 25, 12);
let books: Books;
let admin = "";
let url = "";
let close: () => Promise<void>;

beforeEach(async () => {
  const directory = mkdtempSync(join(tmpdir(), "gateway-api-"));
  books = await openSqliteBooks({ file: join(directory, "books"), now: () => NOW });
  const owner = { kind: "user", id: "ann" } as const;
  admin = (await books.keys.create({ name: "boss", owner, limits: {}, admin: true })).key;
  const routes = apiRoutes(books, () => NOW);
  const gateway = createGateway({ catalog: catalogOf(() => []), books, prices: flatPrices, routes, now: () => NOW });
  const server = await listen(gateway, "127.0.0.1", 0);
  url = addressOf(server);
  close = async () => {
    server.closeAllConnections();
    server.close();
    await gateway.close();
    await books.close();
    rmSync(directory, { recursive: true });
  };
});
afterEach(() => close());

async function ask(line: string, body?: unknown, key = admin) {
  const [method = "", path = ""] = line.split(" ");
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return { status: response.status, type, body: type.includes("json") ? (JSON.parse(text) as unknown) : text };
}

type Made = { readonly key: string; readonly info: { readonly id: string } };
const made = async (input: object) => (await ask("POST /api/gateway/keys", { limits: {}, ...input })).body as Made;

test("its routes are those of the API's table, but for what only a server has", () => {
  const { gatewayModels: _, addGatewayModel: _a, changeGatewayModel: _c, ...others } = GATEWAY_ROUTES;
  const { removeGatewayModel: _r, testGatewayModel: _t, ...served } = others;
  const lines = Object.entries(served).map(([name, { method, path }]) => [name, `${method} ${path}`]);
  expect(API_TABLE).toEqual(Object.fromEntries(lines));
});

test("keys are made, listed without themselves, changed, replaced and revoked", async () => {
  const { key, info } = await made({ name: "ci", limits: { budget: { usd: 5, period: "day" } } });
  expect(key).toMatch(/^sk-/);
  const standings = [{ kind: "budget", limit: 5, remaining: 5, resetAt: Date.UTC(2026, 10, 26) }];
  expect(info).toMatchObject({ name: "ci", owner: { kind: "user", id: "ann" }, spentUsd: 0, standings });
  const list = await ask("GET /api/gateway/keys");
  expect(list).toMatchObject({ status: 200, body: { keys: expect.arrayContaining([info]) } });
  expect(JSON.stringify(list.body)).not.toContain(key);
  const path = `/api/gateway/keys/${info.id}`;
  expect(await ask(`PATCH ${path}`, { models: ["fast"] })).toMatchObject({ status: 200, body: { models: ["fast"] } });
  const rights = { teamId: "core", models: ["slow"], expiresAt: NOW + 1000 };
  expect(await ask(`PATCH ${path}`, rights)).toMatchObject({ status: 200, body: rights });
  const emptied = await ask(`PATCH ${path}`, { teamId: null, models: null, expiresAt: null });
  for (const right of Object.keys(rights)) expect(emptied.body).not.toHaveProperty(right);
  expect(emptied.body).toMatchObject({ name: "ci", limits: { budget: { usd: 5, period: "day" } } });
  const next = await ask(`POST ${path}/rotate`, { keepOldForMs: 1000 });
  expect(next).toMatchObject({ status: 201, body: { info: { id: info.id } } });
  expect((next.body as Made).key).not.toBe(key);
  expect(await ask(`DELETE ${path}`)).toMatchObject({ status: 200, body: { revokedAt: NOW } });
  expect((await ask("GET /api/gateway/keys", undefined, (next.body as Made).key)).status).toBe(401);
});

test("owners have limits, and a LiteLLM's keys come in one request", async () => {
  const saved = await ask("PUT /api/gateway/owners/team/t%2F1", { name: "Tools", limits: { parallel: 2 } });
  expect(saved).toMatchObject({ status: 200, body: { kind: "team", id: "t/1", limits: { parallel: 2 } } });
  expect(await ask("GET /api/gateway/owners")).toMatchObject({ body: { owners: [{ id: "t/1" }] } });
  // More than other routes take.
  const rows = `${" ".repeat(1_200_000)}{"keys":[{"token":"${"a".repeat(64)}"}],"users":[],"teams":[],"budgets":[]}`;
  const imported = await ask("POST /api/gateway/keys/import", { export: rows });
  expect(imported).toMatchObject({ status: 200, body: { keys: 1, left: [] } });
});

test("spend is summed by any group, as JSON or CSV, and single calls are listed", async () => {
  const { info } = await made({ name: "ci" });
  const admission = sampleAdmission([sampleScope(`key:${info.id}`)], { at: NOW });
  await books.ledger.admit({ ...admission, entry: { ...admission.entry, keyId: info.id, teamId: "t" } });
  books.ledger.settle(sampleSettlement(admission.callId));
  for (const [by, group, label] of [
    ["day", "2026-11-25", "2026-11-25"],
    ["model", "gpt", "gpt"],
    ["key", info.id, "ci"],
    ["user", "u_1", "u_1"],
    ["team", "t", "t"],
    ["conversation", "", ""],
  ]) {
    const { body } = await ask(`GET /api/gateway/spend?by=${by}&from=${NOW}`);
    expect(body).toMatchObject({ rows: [{ group, label, calls: 1, costUsd: 0.25 }] });
  }
  const csv = await ask("GET /api/gateway/spend.csv?by=key");
  expect(csv).toMatchObject({ status: 200, type: "text/csv; charset=utf-8" });
  expect(String(csv.body).split("\r\n")[1]).toBe(`${info.id},ci,1,0,0,40,10,0,0.25,0,0`);
  const calls = await ask(`GET /api/gateway/calls?limit=5&keyId=${info.id}`);
  expect(calls.body).toMatchObject({ calls: [{ callId: admission.callId, keyName: "ci", costUsd: 0.25 }] });
});

test("what is refused is told as problem details, with the code of the table", async () => {
  const plain = await made({ name: "plain" });
  const refusals = [
    [await ask("GET /api/gateway/keys", undefined, "sk-nobody"), 401, "key_invalid"],
    [await ask("GET /api/gateway/keys", undefined, plain.key), 403, "forbidden"],
    [await ask("DELETE /api/gateway/keys/v_none"), 404, "key_not_found"],
    [await ask("POST /api/gateway/keys", { name: "" }), 400, "bad_request"],
    [await ask("POST /api/gateway/keys", "{"), 400, "bad_request"],
    [await ask("GET /api/gateway/spend?by=mood"), 400, "bad_request"],
  ] as const;
  for (const [answer, status, code] of refusals) {
    expect(answer).toMatchObject({ status, type: "application/problem+json", body: { status, code } });
  }
  expect(refusals[3][0].body).toMatchObject({ detail: expect.stringMatching(/^name: /), details: { field: "name" } });
  expect((await ask("GET /api/gateway/models")).status).toBe(404);
  expect((await ask("DELETE /api/gateway/keys/a/b")).status).toBe(404);
});
