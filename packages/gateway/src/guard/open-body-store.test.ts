import { randomUUID } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCache } from "../cache/open-cache.ts";
import type { Exchange } from "../ports/guard.ts";
import { scripted, startGateway } from "../testing/gateway-fixture.ts";
import { type BodyStoreOptions, openBodyStore } from "./open-body-store.ts";

const NOON = Date.UTC(2026, 10, 25, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TOKEN = `glpat-${"a1B2".repeat(5)}`;

let home = "";
let directory = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-bodies-"));
  directory = join(home, "gateway-bodies");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const open = (more: Partial<BodyStoreOptions> = {}) =>
  openBodyStore({ directory, keepMs: DAY, maxBytes: 1000, maxTotalBytes: 1e6, now: () => NOON, ...more });

const exchange = (change: Partial<Exchange> = {}): Exchange => ({
  callId: randomUUID(),
  at: NOON,
  keyId: "k_1",
  model: "m",
  status: 200,
  request: Buffer.from('{"a":"é"}'),
  answer: Buffer.from("data: {}\n\n"),
  ...change,
});

const files = () => globSync("*/*", { cwd: directory }).toSorted();
const read = (file: string | undefined) => JSON.parse(readFileSync(join(directory, file ?? ""), "utf8")) as unknown;

test("a call's bodies are in a file of its day, which only its user can read", async () => {
  const store = open();
  const call = exchange();
  store.keep(call);
  await store.close();
  const file = `2026-11-25/${NOON}-${call.callId}.json`;
  expect(files()).toEqual([file]);
  expect(read(file)).toEqual({
    callId: call.callId,
    at: "2026-11-25T12:00:00.000Z",
    keyId: "k_1",
    model: "m",
    status: 200,
    request: { text: '{"a":"é"}' },
    answer: { text: "data: {}\n\n" },
  });
  expect(
    [join(directory, file), directory, join(directory, "2026-11-25")].map((path) => statSync(path).mode & 0o777),
  ).toEqual([0o600, 0o700, 0o700]);
});

test("keys and tokens are masked, however they are written", async () => {
  const store = open();
  const escaped = TOKEN.replace("g", "\\u0067");
  store.keep(exchange({ request: Buffer.from(`{"a":"${escaped}"}`), answer: Buffer.from(`<p>${TOKEN}</p> "'`) }));
  await store.close();
  expect(read(files()[0])).toMatchObject({
    request: { text: '{"a":"[redacted gitlab-token]"}' },
    answer: { text: `<p>[redacted gitlab-token]</p> "'` },
  });
});

test("what is too long is cut and says so, with nothing of a secret or half a letter at the cut", async () => {
  const store = open({ maxBytes: 20 });
  expect(store.maxBytes).toBeGreaterThan(20);
  store.keep(exchange({ request: Buffer.from(`{"a":"12345 ${TOKEN}"}`), answer: Buffer.from("é".repeat(10) + "é") }));
  store.keep(exchange({ request: Buffer.from("x".repeat(20)), answer: Buffer.from(`x${"é".repeat(10)}`) }));
  await store.close();
  const bodies = files().map((file) => read(file) as { request: unknown; answer: unknown });
  expect(bodies.map(({ request }) => request)).toEqual(
    expect.arrayContaining([{ text: '{"a":"12345 [redacte', cut: true }, { text: "x".repeat(20) }]),
  );
  expect(bodies.map(({ answer }) => answer)).toEqual(
    expect.arrayContaining([
      { text: "é".repeat(10), cut: true },
      { text: `x${"é".repeat(9)}`, cut: true },
    ]),
  );
});

test("what is too old goes at the start, and nothing else does", async () => {
  const first = open();
  const [young, old] = [exchange({ at: NOON - 23 * HOUR }), exchange({ at: NOON - 25 * HOUR })];
  for (const call of [young, old, exchange({ at: NOON - 9 * DAY })]) first.keep(call);
  await first.close();
  expect(files()).toHaveLength(3);
  mkdirSync(join(directory, "notes"));
  for (const name of ["notes/1.json", "2026-11-24/mine.txt"]) writeFileSync(join(directory, name), "");
  await open().close();
  const kept = `2026-11-24/${young.at}-${young.callId}.json`;
  expect(files()).toEqual([kept, "2026-11-24/mine.txt", "notes/1.json"]);
  expect(existsSync(join(directory, "2026-11-16"))).toBe(false);
});

test("the oldest go when all together are too many bytes", async () => {
  const store = open({ maxTotalBytes: 5 * 4096 });
  const calls = Array.from({ length: 6 }, (_, index) => exchange({ at: NOON + index * 1000 }));
  for (const call of calls) store.keep(call);
  await store.close();
  expect(files()).toEqual(calls.slice(2).map(({ at, callId }) => `2026-11-25/${at}-${callId}.json`));
});

test("a directory that cannot be written to is told of once, and no call suffers", async () => {
  writeFileSync(directory, "in the way");
  const troubles: unknown[] = [];
  const store = open({ onTrouble: (thrown) => troubles.push(thrown) });
  store.keep(exchange());
  store.keep(exchange());
  await store.close();
  expect(troubles).toHaveLength(1);
});

test("calls that come faster than they can be written are left out beyond a bound", async () => {
  const troubles: unknown[] = [];
  const store = open({ onTrouble: (thrown) => troubles.push(thrown) });
  const large = new Uint8Array(20 * 1024 * 1024);
  store.keep(exchange({ request: large }));
  store.keep(exchange({ request: large }));
  await store.close();
  expect([files().length, troubles.length]).toEqual([1, 1]);
});

test("the gateway keeps what it was asked and what it answered, streamed and cached too, but not of those who do not want it", async () => {
  const up = await scripted({ text: "Hello", usage: { inputTokens: 3, outputTokens: 1 } });
  const store = open({ keepMs: 365_000 * DAY });
  const cache = { ...openCache({ enabled: true }), scope: "key" as const };
  const way = await startGateway({ deployments: [{ baseUrl: up.baseUrl }], bodies: store, cache });
  try {
    const asks = [false, true].map((stream) => ({ model: "m", stream, messages: [{ role: "user", content: "hi" }] }));
    const texts: string[] = [];
    const said: (string | null)[] = [];
    const post = async (ask: object, headers = {}) => {
      const answer = await way.post("/v1/chat/completions", ask, headers);
      said.push(answer.headers.get("x-handrail-bodies"));
      return answer.text();
    };
    for (const ask of [...asks, asks[0]!]) texts.push(await post(ask));
    await post(asks[0]!, { "x-litellm-enable-message-redaction": "true" });
    expect(said).toEqual(["kept", "kept", "kept", null]);
    await store.close();
    const kept = files().map((file) => read(file) as { answer: { text: string }; request: { text: string } });
    const pairs = (all: readonly (readonly [string | undefined, string | undefined])[]) =>
      all.map((pair) => pair.join("\n")).toSorted();
    expect(pairs(kept.map(({ request, answer }) => [request.text, answer.text]))).toEqual(
      pairs([...asks, asks[0]!].map((ask, index) => [JSON.stringify(ask), texts[index]])),
    );
  } finally {
    await way.close();
    await up.close();
  }
});
