import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { NO_RULES } from "../catalog/catalog.ts";
import type { Fault } from "@handrail/scripted-model/script";
import { type GatewayFixture, scripted, startGateway } from "../testing/gateway-fixture.ts";
import {
  DONE_EVENT,
  finishEvent,
  handWrittenProvider,
  textEvent,
  usageEvent,
} from "../testing/hand-written-provider.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };
const CHAT = "/v1/chat/completions";
const USAGE = { inputTokens: 100, outputTokens: 20 };
const FOREVER = 600_000;

const FAULTS: Readonly<Record<string, Fault>> = {
  "a 429": { type: "status", status: 429 },
  "a 500": { type: "status", status: 500 },
  "a stall": { type: "stall", ms: FOREVER },
  "a stall in the middle": { type: "stall", ms: FOREVER, afterBytes: 300 },
  "half an answer": { type: "cut", afterBytes: 300 },
  garbage: { type: "garbage" },
  "a web page": { type: "html" },
  "a dropped connection": { type: "refused" },
};

/** What a call pays of whose tries a provider said that they came to nothing; else see `unanswered.test.ts`. */
const NOTHING = { inputTokens: 0, costUsd: 0 };

/** A gateway whose first provider fails in that way, with as many others that do not as are said. */
async function failing(fault: Fault, others: number): Promise<GatewayFixture> {
  const bad = await scripted({ text: "x".repeat(400), usage: USAGE, faults: Array.from({ length: 9 }, () => fault) });
  const good = await scripted({ text: "Hello", usage: USAGE });
  ends.push(
    () => bad.close(),
    () => good.close(),
  );
  const times = { timeoutMs: 500, streamTimeoutMs: 300, maxRetries: 1 };
  const way = await startGateway({
    deployments: [
      { id: "bad", baseUrl: bad.baseUrl, ...times },
      ...Array.from({ length: others }, () => ({ id: "good", name: "good", baseUrl: good.baseUrl })),
    ],
    rules: () => ({ ...NO_RULES, fallbacks: { m: ["good"] } }),
  });
  ends.push(() => way.close());
  return way;
}

for (const [name, fault] of Object.entries(FAULTS)) {
  for (const stream of [false, true]) {
    test(`${name}: the client of ${stream ? "a stream" : "an answer"} is told, and pays nothing that was refused`, async () => {
      const way = await failing(fault, 0);
      const answer = await way.post(CHAT, { ...ASK, stream });
      const text = await answer.text();
      const begun = answer.status === 200;
      expect(begun ? stream && text.trimEnd().split("\n").at(-1) : text).toContain('"error"');
      if (!begun) expect(answer.headers.get("x-handrail-error")).toMatch(/^model_/);
      expect(way.books.open()).toEqual([]);
      expect(way.books.entries()).toMatchObject([{ outcome: begun ? "broken" : "failed", status: answer.status }]);
      const [entry] = way.books.entries();
      if (begun) expect(entry).toMatchObject({ estimated: true, errorCode: expect.stringMatching(/^model_/) });
      else expect(entry?.costUsd).toBe((entry?.unanswered ?? NOTHING).costUsd);
    });

    test(`${name}: another model answers ${stream ? "a stream" : "a call"} whose first byte has not come`, async () => {
      const way = await failing(fault, 1);
      const answer = await way.post(CHAT, { ...ASK, stream });
      const text = await answer.text();
      const [entry] = way.books.entries();
      if (entry?.deploymentId === "bad") {
        // The answer had begun: it is never begun anew.
        expect([stream, entry.outcome, text.includes("Hello")]).toEqual([true, "broken", false]);
        return;
      }
      expect(text).toContain("Hello");
      const { inputTokens, costUsd } = entry?.unanswered ?? NOTHING;
      const usage = { inputTokens: 100 + inputTokens, outputTokens: 20 };
      expect(entry).toMatchObject({ outcome: "ok", usage, costUsd: 0.00012 + costUsd, estimated: costUsd > 0 });
    });
  }
}

const PIECES = 12;
const PIECE = "word ";

/** A provider that writes a piece each time the loop is free, and notes how many went out before the client left. */
async function countingProvider(written: Map<string, number>) {
  const provider = await handWrittenProvider(async (response, body) => {
    const { user } = JSON.parse(body) as { readonly user: string };
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let piece = 1; piece <= PIECES && !response.destroyed; piece += 1) {
      written.set(user, piece);
      response.write(textEvent(PIECE));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    response.end(finishEvent + usageEvent(100, PIECES) + DONE_EVENT);
  });
  ends.push(() => provider.close());
  return provider;
}

/** Reads that many pieces of text, or all, and leaves. Gives how many came. */
async function readPieces(answer: Response, wanted: number): Promise<number> {
  const reader = answer.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const pieces = () => text.split(PIECE).length - 1;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += decoder.decode(next.value, { stream: true });
    if (pieces() >= wanted) break;
  }
  await reader.cancel();
  return pieces();
}

test("clients that leave at any time pay for what the provider had sent them: whole answers to the token", async () => {
  const written = new Map<string, number>();
  const provider = await countingProvider(written);
  const way = await startGateway({ deployments: [{ baseUrl: provider.baseUrl }] });
  ends.push(() => way.close());
  const read = new Map<string, number>();
  const clients = Array.from({ length: 32 }, async (_, index) => {
    const user = `c${index}`;
    const answer = await way.post(CHAT, { ...ASK, stream: true, user });
    // Half of the clients stay to the end.
    const wanted = index % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + ((index * 7) % PIECES);
    read.set(user, await readPieces(answer, wanted));
  });
  await Promise.all(clients);
  await expect.poll(() => way.books.entries()).toHaveLength(32);
  expect(way.books.open()).toEqual([]);
  const outcomes = Map.groupBy(way.books.entries(), ({ outcome }) => outcome);
  expect([...outcomes.keys()].toSorted()).toEqual(["aborted", "ok"]);
  for (const { usage, estimated } of outcomes.get("ok") ?? []) {
    expect({ ...usage, estimated }).toMatchObject({ inputTokens: 100, outputTokens: PIECES, estimated: false });
  }
  for (const { endUser = "", usage, estimated } of outcomes.get("aborted") ?? []) {
    expect(estimated).toBe(true);
    expect(usage.outputTokens).toBeGreaterThanOrEqual(tokensOf(read.get(endUser)));
    expect(usage.outputTokens).toBeLessThanOrEqual(tokensOf(written.get(endUser)));
  }
}, 30_000);

const tokensOf = (pieces = 0) => Math.ceil((pieces * PIECE.length) / 4);

test("a client that leaves before the first byte ends the provider's work, streamed or not", async () => {
  for (const stream of [false, true]) {
    const came = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const provider = await handWrittenProvider(async (response) => {
      came.resolve();
      await once(response, "close");
      left.resolve();
    });
    const way = await startGateway({ deployments: [{ baseUrl: provider.baseUrl }] });
    ends.push(
      () => provider.close(),
      () => way.close(),
    );
    const leave = new AbortController();
    const asked = fetch(way.url + CHAT, {
      method: "POST",
      signal: leave.signal,
      headers: { authorization: `Bearer ${way.key}` },
      body: JSON.stringify({ ...ASK, stream }),
    });
    await came.promise;
    leave.abort();
    await expect(asked).rejects.toThrow();
    await left.promise;
    await expect.poll(() => way.books.entries()).toMatchObject([{ outcome: "aborted", status: 499 }]);
    expect(way.books.open()).toEqual([]);
  }
});
