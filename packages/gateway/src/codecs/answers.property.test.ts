import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatFormat } from "../ports/format.ts";
import { answerParts, eventsOfParts } from "../testing/arbitraries.ts";
import { gather } from "./answer.ts";
import { CODECS } from "./codec.ts";
import { inOrder } from "./in-order.ts";
import type { AnswerEvent } from "./prompt.ts";
import { sseSplitter } from "./sse.ts";

const FORMATS: readonly ChatFormat[] = ["chat", "messages", "responses"];
const CLIENT = { usageAsked: true, created: 1 };
const USAGE: AnswerEvent = {
  type: "usage",
  usage: {
    inputTokens: 1,
    inputAudioTokens: 0,
    cacheReadTokens: 3,
    cacheWriteTokens: 4,
    cacheWriteHourTokens: 5,
    outputTokens: 6,
    reasoningTokens: 7,
    outputAudioTokens: 0,
  },
};

function streamed(format: ChatFormat, events: readonly AnswerEvent[]): string {
  const writer = CODECS[format].writer(CLIENT);
  return events.map((event) => writer.write(event)).join("");
}

function read(format: ChatFormat, chunks: readonly Uint8Array[]): readonly AnswerEvent[] {
  const splitter = sseSplitter();
  const reader = CODECS[format].reader();
  const events = chunks.flatMap((chunk) => splitter.push(chunk).flatMap((data) => reader.take(data)));
  return [...events, ...reader.close()];
}

for (const format of FORMATS) {
  test(`an answer streamed as ${format}, however it is cut, is read as it was: arguments to the letter`, () => {
    fc.assert(
      fc.property(answerParts(true), fc.integer({ min: 1, max: 9 }), fc.nat(), (parts, size, at) => {
        const events = eventsOfParts(parts, size, "stop");
        const all = [...events.slice(0, -1), USAGE, ...events.slice(-1)];
        const bytes = Buffer.from(streamed(format, all));
        const place = at % bytes.length;
        const back = gather(read(format, [bytes.subarray(0, place), bytes.subarray(place)]));
        expect(back.parts).toEqual(parts);
        expect(back.usage).toEqual(USAGE.usage);
      }),
      { numRuns: 300 },
    );
  });

  test(`a whole answer of ${format} says the same as its stream`, () => {
    fc.assert(
      fc.property(answerParts(format !== "messages"), (parts) => {
        const events = eventsOfParts(parts, 100, parts.at(-1)?.type === "call" ? "calls" : "stop");
        const whole = JSON.parse(JSON.stringify(CODECS[format].writeAnswer(gather(events), CLIENT))) as unknown;
        const ofWhole = gather(CODECS[format].readAnswer(whole));
        const ofStream = gather(read(format, [Buffer.from(streamed(format, events))]));
        expect({ ...ofWhole, usage: undefined }).toEqual({ ...ofStream, usage: undefined });
      }),
      { numRuns: 200 },
    );
  });
}

test("calls whose pieces come mixed are given one after another, and nothing is lost", () => {
  const calls = fc.array(fc.constantFrom('{"a":1}', "{}", "{broken", '{"b": {"c": 2}}'), {
    minLength: 2,
    maxLength: 4,
  });
  fc.assert(
    fc.property(calls, fc.infiniteStream(fc.nat()), (texts, choices) => {
      const mixed = mix(texts, choices);
      const order = inOrder();
      const given = mixed.flatMap((event) => order.take(event));
      expect(gather(given)).toEqual(gather(mixed));
      const places = given.flatMap((event) => ("index" in event ? [event.index] : []));
      expect(places.filter((place, at) => place !== places[at - 1])).toEqual([...new Set(places)]);
    }),
  );
});

/** Calls begin in order; their letters come in any. */
function mix(texts: readonly string[], choices: Iterable<number>): readonly AnswerEvent[] {
  const left = texts.map((text) => Array.from(text));
  const begun: AnswerEvent[] = texts.map((_, index) => ({ type: "call", index, id: `c${index}`, name: "f" }));
  const events: AnswerEvent[] = [...begun];
  for (const choice of choices) {
    const open = left.flatMap((letters, index) => (letters.length > 0 ? [index] : []));
    const index = open[choice % open.length];
    if (index === undefined) break;
    events.push({ type: "arguments", index, delta: left[index]?.shift() ?? "" });
  }
  return [...events, { type: "end", finish: "calls" }];
}
