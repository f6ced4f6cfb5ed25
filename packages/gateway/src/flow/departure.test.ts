import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { type GatewayFixture, startGateway } from "../testing/gateway-fixture.ts";
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

/** A gateway before a provider that writes what `play` writes, and does not end the answer itself. */
async function before(play: (response: ServerResponse) => unknown): Promise<GatewayFixture> {
  const provider = await handWrittenProvider((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    return play(response);
  });
  ends.push(() => provider.close());
  const way = await startGateway({ deployments: [{ baseUrl: provider.baseUrl }] });
  ends.push(() => way.close());
  return way;
}

const ASK = { model: "m", stream: true, messages: [{ role: "user", content: "hi" }] };
const USAGE = { inputTokens: 100, outputTokens: 20, reasoningTokens: 0 };

/** Reads until that text has come, and leaves. */
async function readUntil(answer: Response, text: string): Promise<void> {
  const reader = answer.body!.getReader();
  const decoder = new TextDecoder();
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The stream ended with ${seen}`);
    seen += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
}

const settled = (way: GatewayFixture) => expect.poll(() => way.books.entries()).toHaveLength(1);

test("a client that leaves at the last event has had its whole answer", async () => {
  const left = Promise.withResolvers<void>();
  const way = await before(async (response) => {
    response.write(textEvent("Hello") + finishEvent + usageEvent(100, 20) + DONE_EVENT);
    await once(response, "close");
    left.resolve();
  });
  const answer = await way.post("/v1/chat/completions", { ...ASK, stream_options: { include_usage: true } });
  await readUntil(answer, "[DONE]");
  await left.promise;
  await settled(way);
  expect(way.books.entries()).toMatchObject([{ outcome: "ok", status: 200, usage: USAGE, estimated: false }]);
  expect(way.books.entries()[0]).not.toHaveProperty("errorCode");
});

test("what the provider says right after its client has left the finished answer still counts", async () => {
  const left = Promise.withResolvers<void>();
  const way = await before(async (response) => {
    response.write(textEvent("Hello") + finishEvent);
    await left.promise;
    response.end(usageEvent(100, 20) + DONE_EVENT);
  });
  const answer = await way.post("/v1/chat/completions", ASK);
  await readUntil(answer, "finish_reason");
  left.resolve();
  await settled(way);
  expect(way.books.entries()).toMatchObject([{ outcome: "ok", status: 200, usage: USAGE, estimated: false }]);
});

test("a client that leaves in the middle ends the provider's work, and pays for the characters that came", async () => {
  const left = Promise.withResolvers<void>();
  const way = await before(async (response) => {
    response.write(textEvent("Hello there, twenty!"));
    await once(response, "close");
    left.resolve();
  });
  await readUntil(await way.post("/v1/chat/completions", ASK), "twenty");
  await left.promise;
  await settled(way);
  expect(way.books.entries()).toMatchObject([{ outcome: "aborted", usage: { outputTokens: 5 }, estimated: true }]);
  expect(way.books.open()).toEqual([]);
});
