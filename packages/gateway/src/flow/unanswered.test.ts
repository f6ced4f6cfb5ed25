import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { NO_RULES } from "../catalog/catalog.ts";
import type { Fault } from "@handrail/scripted-model/script";
import type { BookLimits } from "../ports/limits.ts";
import type { Deployment } from "../ports/deployment.ts";
import { flatPrices, type GatewayFixture, scripted, startGateway } from "../testing/gateway-fixture.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };
const INPUT = Math.ceil(JSON.stringify(ASK).length / 4);
const ANSWER = { inputTokens: 100, outputTokens: 20 };

type Bad = Partial<Deployment>;

/** A gateway that tries the bad deployment twice and then, where it is to, one that answers. */
async function before(bad: Bad, falls: boolean, limits: BookLimits = {}): Promise<GatewayFixture> {
  const good = await scripted({ text: "Hello", usage: ANSWER });
  ends.push(() => good.close());
  const way = await startGateway({
    key: { limits },
    deployments: [
      { id: "bad", maxRetries: 1, ...bad },
      { id: "good", name: "good", baseUrl: good.baseUrl },
    ],
    rules: () => ({ ...NO_RULES, defaultFallbacks: falls ? ["good"] : [] }),
    prices: {
      ...flatPrices,
      cost: (place, usage) => (place.region === "unpriced" ? undefined : flatPrices.cost(place, usage)),
    },
  });
  ends.push(() => way.close());
  return way;
}

const faulty = (fault: Fault) => async (): Promise<Bad> => {
  const model = await scripted({ text: "x".repeat(400), usage: ANSWER, faults: [fault, fault] });
  ends.push(() => model.close());
  return { baseUrl: model.baseUrl, ...(fault.type === "stall" && { timeoutMs: 400 }) };
};

/** Somebody answers the telephone and never says a word, so that there is no TLS to send anything through. */
async function neverSent(): Promise<Bad> {
  const server = createServer((socket) => void ends.push(() => socket.destroy())).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  return { baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, timeoutMs: 400 };
}

async function nobodyThere(): Promise<Bad> {
  const model = await scripted({ text: "" });
  await model.close();
  return { baseUrl: model.baseUrl };
}

const MAYBE = {
  "that the provider did not answer in time": faulty({ type: "stall", ms: 600_000 }),
  "that something in front of the provider did not wait for": faulty({ type: "status", status: 504 }),
  "whose connection broke before the answer's head": faulty({ type: "refused" }),
  "whose connection broke behind the answer's head": faulty({ type: "cut", afterBytes: 300 }),
  "whose answer nobody can read": faulty({ type: "garbage" }),
};

const NEVER = {
  "that the provider refused with 500": faulty({ type: "status", status: 500 }),
  "that the provider refused with 429": faulty({ type: "status", status: 429 }),
  "that a web page answered": faulty({ type: "html" }),
  "that found nobody": nobodyThere,
  "that could not be sent in time": neverSent,
};

for (const [what, make] of Object.entries(MAYBE)) {
  test(`tries ${what} count with their input, beside the answer that another deployment gave`, async () => {
    const way = await before(await make(), true);
    const answer = await way.post("/v1/chat/completions", ASK);
    expect(await answer.text()).toContain("Hello");
    const unanswered = { tries: 2, inputTokens: 2 * INPUT, costUsd: (2 * INPUT) / 1e6, priced: true };
    const usage = { inputTokens: 100 + 2 * INPUT, outputTokens: 20 };
    const costUsd = 0.00012 + (2 * INPUT) / 1e6;
    expect(way.books.entries()).toMatchObject([
      { outcome: "ok", deploymentId: "good", usage, unanswered, estimated: true },
    ]);
    expect(way.books.entries()[0]?.costUsd).toBeCloseTo(costUsd, 12);
    expect(Number(answer.headers.get("x-litellm-response-cost"))).toBe(way.books.entries()[0]?.costUsd);
  });

  test(`tries ${what} count with their input where no answer came at all`, async () => {
    const way = await before(await make(), false);
    await (await way.post("/v1/chat/completions", ASK)).text();
    expect(way.books.entries()).toMatchObject([
      { outcome: "failed", usage: { inputTokens: 2 * INPUT, outputTokens: 0 }, unanswered: { tries: 2 }, priced: true },
    ]);
  });
}

for (const [what, make] of Object.entries(NEVER)) {
  test(`tries ${what} cost nothing`, async () => {
    const way = await before(await make(), true);
    const answer = await way.post("/v1/chat/completions", ASK);
    expect(await answer.text()).toContain("Hello");
    const [entry] = way.books.entries();
    expect(entry).toMatchObject({ outcome: "ok", usage: ANSWER, costUsd: 0.00012, estimated: false });
    expect(entry).not.toHaveProperty("unanswered");
  });
}

test("a try of unknown price that may be billed makes the call's price unknown", async () => {
  const bad = await MAYBE["that the provider did not answer in time"]();
  const way = await before({ ...bad, region: "unpriced" }, true);
  await (await way.post("/v1/chat/completions", ASK)).text();
  expect(way.books.entries()).toMatchObject([
    { outcome: "ok", priced: false, unanswered: { tries: 2, priced: false } },
  ]);
});

/** What is reserved for a call: its prompt at three bytes a token, and `max_tokens`. */
const LIMITED = { ...ASK, max_tokens: 20 };
const RESERVED = (Math.ceil(JSON.stringify(LIMITED).length / 3) + 20) / 1e6;
const TRY = Math.ceil(JSON.stringify(LIMITED).length / 4) / 1e6;

test.for([
  [2.5, 200, 2],
  [1.5, 429, 2],
  [0.5, 429, 1],
] as const)(
  "tries that may be billed are reserved beside the next one: with room for %s of them the answer is %s, after %s such tries",
  async ([room, status, tries]) => {
    const bad = await MAYBE["that something in front of the provider did not wait for"]();
    const usd = RESERVED + room * TRY;
    const way = await before(bad, true, { budget: { usd, period: "total" } });
    const answer = await way.post("/v1/chat/completions", LIMITED);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(status === 200 ? "Hello" : `The budget of $${usd} of the key`);
    expect(answer.headers.get("x-handrail-error")).toBe(status === 200 ? null : "budget_exceeded");
    const [entry] = way.books.entries();
    expect(entry).toMatchObject({ unanswered: { tries }, retries: tries - 1 });
    if (status !== 200) expect(entry?.costUsd).toBeLessThanOrEqual(usd);
  },
);

test("a client that leaves before its request could be sent pays nothing", async () => {
  const way = await before({ ...(await neverSent()), timeoutMs: 60_000 }, false);
  const leave = new AbortController();
  const asked = fetch(`${way.url}/v1/chat/completions`, {
    method: "POST",
    signal: leave.signal,
    headers: { authorization: `Bearer ${way.key}` },
    body: JSON.stringify(ASK),
  });
  await expect.poll(() => way.books.open()).toHaveLength(1);
  leave.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(() => way.books.entries()).toMatchObject([{ outcome: "aborted", costUsd: 0, estimated: false }]);
});
