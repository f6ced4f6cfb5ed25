import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteBooks } from "../books/open-sqlite-books.ts";
import { catalogOf } from "../catalog/catalog.ts";
import { createGateway } from "../gateway.ts";
import type { Deployment } from "../ports/deployment.ts";
import { flatPrices, scripted } from "../testing/gateway-fixture.ts";

const CALLS = 64;
/** A dollar for a million tokens: no prompt here has 900 tokens, so each call reserves less than this. */
const CALL_USD = 0.001;
const ANSWER_TOKENS = 900;

test("64 calls at once over HTTP against a budget of ten: at most ten's worth goes through, and no cent is lost", async () => {
  const home = mkdtempSync(join(tmpdir(), "handrail-budget-"));
  const up = await scripted({ text: "Hello", usage: { inputTokens: 100, outputTokens: ANSWER_TOKENS }, delayMs: 50 });
  const books = await openSqliteBooks({ file: join(home, "gateway.sqlite") });
  const limits = { budget: { usd: 10 * CALL_USD, period: "total" } } as const;
  const { key, record } = await books.keys.create({ name: "ten", owner: { kind: "user", id: "ann" }, limits });
  const place: Deployment = { id: "d", name: "m", provider: "openai_compatible", model: "up", baseUrl: up.baseUrl };
  const places = [place];
  const gateway = createGateway({ books, catalog: catalogOf(() => places), prices: flatPrices });
  const server = createServer((request, response) => void gateway.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;
  try {
    const ask = async (index: number) => {
      const body = { model: "m", max_tokens: ANSWER_TOKENS, stream: index % 2 === 0, messages: MESSAGES };
      const answer = await fetch(url, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
      await answer.text();
      return answer;
    };
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, index) => ask(index)));
    const admitted = answers.filter(({ status }) => status === 200).length;
    const refused = answers.filter(({ status }) => status === 429);
    expect(admitted + refused.length).toBe(CALLS);
    expect(admitted).toBeGreaterThanOrEqual(9);
    expect(admitted).toBeLessThanOrEqual(11);
    expect(new Set(refused.map(({ headers }) => headers.get("rate_limit_type")))).toEqual(new Set(["budget"]));
    expect(up.requests()).toHaveLength(admitted);
    await books.ledger.flush();
    const entries = await books.ledger.entries({}, { limit: CALLS });
    const spent = entries.reduce((sum, { costUsd }) => sum + costUsd, 0);
    expect(spent).toBeCloseTo(admitted * CALL_USD, 9);
    expect(spent).toBeLessThanOrEqual(limits.budget.usd + 1e-9);
    const scope = { id: `key:${record.id}`, limits };
    const [state] = await books.ledger.states([scope]);
    expect(state?.remaining).toBeCloseTo(limits.budget.usd - spent, 9);
  } finally {
    server.closeAllConnections();
    server.close();
    await gateway.close();
    await books.close();
    await up.close();
    rmSync(home, { recursive: true, force: true });
  }
});

const MESSAGES = [{ role: "user", content: "hi" }];
