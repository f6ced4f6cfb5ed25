import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import type { Deployment } from "../ports/deployment.ts";
import { type GatewayFixture, startGateway } from "../testing/gateway-fixture.ts";
import { handWrittenProvider, textEvent } from "../testing/hand-written-provider.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const CHAT = "/v1/chat/completions";
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };
const LONG_MS = 600_000;

type Silent = GatewayFixture & {
  /** How many requests the provider saw, and how many of them were ended on the other side. */
  readonly seen: { asked: number; ended: number };
};

/** A gateway before a provider that begins a stream, if at all, writes every so often if at all, and never ends. */
async function before(
  { begins, everyMs }: { readonly begins: boolean; readonly everyMs?: number },
  place: Partial<Deployment>,
): Promise<Silent> {
  const seen = { asked: 0, ended: 0 };
  const { baseUrl, close } = await handWrittenProvider(async (response) => {
    seen.asked += 1;
    if (begins) response.writeHead(200, { "content-type": "text/event-stream" }).write(textEvent("a"));
    const timer = everyMs === undefined ? undefined : setInterval(() => response.write(textEvent("b")), everyMs);
    await once(response, "close");
    clearInterval(timer);
    seen.ended += 1;
  });
  ends.push(close);
  const way = await startGateway({ deployments: [{ baseUrl, maxRetries: 0, ...place }] });
  ends.push(() => way.close());
  return { ...way, seen };
}

/** What the client got, and that the provider's work has ended. */
async function outcome(way: Silent, body: object, headers: Record<string, string> = {}) {
  const answer = await way.post(CHAT, { ...ASK, ...body }, headers);
  const text = await answer.text();
  await expect.poll(() => [way.seen.ended, way.books.entries().length]).toEqual([way.seen.asked, 1]);
  return { status: answer.status, last: text.trimEnd().split("\n").at(-1), entry: way.books.entries()[0] };
}

for (const [name, place, headers] of [
  ["the deployment's time", { timeoutMs: 1000 }, {}],
  ["the client's time", { timeoutMs: LONG_MS }, { "x-litellm-timeout": "1" }],
] as const) {
  test(`${name} for a call ends one that is silent, and one that goes on and on`, async () => {
    const silent = await outcome(await before({ begins: false }, place), {}, headers);
    expect(silent).toMatchObject({ status: 504, entry: { outcome: "failed", errorCode: "model_timeout" } });
    const endless = await outcome(await before({ begins: true, everyMs: 10 }, place), { stream: true }, headers);
    expect(endless).toMatchObject({ status: 200, entry: { outcome: "broken", errorCode: "model_timeout" } });
    expect(endless.last).toContain('"error"');
  });
}

test("the client's time is for all tries together", async () => {
  const way = await before({ begins: false }, { timeoutMs: LONG_MS, maxRetries: 5 });
  expect(await outcome(way, {}, { "x-litellm-timeout": "0.5" })).toMatchObject({ status: 504 });
  expect(way.seen.asked).toBe(1);
});

for (const [name, place, headers] of [
  ["the deployment's time", { timeoutMs: LONG_MS, streamTimeoutMs: 1000 }, {}],
  ["the client's time", { timeoutMs: LONG_MS, streamTimeoutMs: LONG_MS }, { "x-litellm-stream-timeout": "1" }],
] as const) {
  test(`${name} for silence ends a stream that does not begin, or goes no further, and none that goes on`, async () => {
    const silent = await outcome(await before({ begins: false }, place), { stream: true }, headers);
    expect(silent).toMatchObject({ status: 504, entry: { outcome: "failed", errorCode: "model_timeout" } });
    const stuck = await outcome(await before({ begins: true }, place), { stream: true }, headers);
    expect(stuck).toMatchObject({ status: 200, entry: { outcome: "broken", errorCode: "model_timeout" } });
    const going = await before({ begins: true, everyMs: 100 }, place);
    const answer = await going.post(CHAT, { ...ASK, stream: true }, headers);
    let text = "";
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.split('"b"').length > 15) break;
    }
    expect(text).not.toContain('"error"');
  });
}
