import { expect, test } from "vitest";
import { eventsOf } from "../lanes/translated.ts";
import type { ChatFormat } from "../ports/format.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import { type Answer, gather } from "./answer.ts";
import { CODECS } from "./codec.ts";
import type { AnswerEvent } from "./prompt.ts";
import { RECORDED } from "../testing/recorded-streams.ts";

const FORMATS: readonly ChatFormat[] = ["chat", "messages", "responses"];
const CLIENT = { usageAsked: true, created: 1 };

async function eventsIn(format: ChatFormat, chunks: readonly Uint8Array[]): Promise<AnswerEvent[]> {
  const events: AnswerEvent[] = [];
  for await (const batch of eventsOf(format, arriving(chunks))) events.push(...batch);
  return events;
}

async function* arriving(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function written(format: ChatFormat, events: readonly AnswerEvent[]): string {
  const writer = CODECS[format].writer(CLIENT);
  return events.map((event) => writer.write(event)).join("");
}

test("there are streams of every format", () => {
  expect(new Set(RECORDED.map(({ format }) => format))).toEqual(new Set(FORMATS));
  expect(RECORDED.length).toBeGreaterThan(15);
});

for (const { name, format, bytes } of RECORDED) {
  test(`${name} says the same wherever its bytes are cut`, async () => {
    const whole = await eventsIn(format, [bytes]);
    for (let at = 1; at < bytes.length; at += 1) {
      const cut = await eventsIn(format, [bytes.subarray(0, at), bytes.subarray(at)]);
      if (JSON.stringify(cut) !== JSON.stringify(whole)) expect([at, cut]).toEqual([at, whole]);
    }
    const letters = await eventsIn(
      format,
      Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
    );
    expect(letters).toEqual(whole);
  }, 60_000);

  for (const client of FORMATS) {
    test(`${name} says the same after it was a stream of ${client}`, async () => {
      const events = await eventsIn(format, [bytes]);
      const text = written(client, events);
      expect(comparable(gather(await eventsIn(client, [Buffer.from(text)])))).toEqual(comparable(gather(events)));
    });
  }

  test(`${name}, when it breaks off before it says how it ended, has no end`, async () => {
    const text = bytes.toString("utf8");
    const said = format === "chat" ? text.search(/"finish_reason": ?"[a-z]/) : text.lastIndexOf("data:");
    const cut = text.slice(0, text.lastIndexOf("data:", said));
    if (said < 0 || !cut.includes("data:")) return;
    await expect(eventsIn(format, [Buffer.from(cut)])).rejects.toMatchObject({ code: "model_stream_broken" });
  });
}

/** What every format can tell: order of thoughts, texts and calls among themselves; the kind of end, not its word. */
function comparable({ parts, usage, finish, problem }: Answer): object {
  const order = ["reasoning", "text", "refusal", "call"];
  return {
    parts: parts.toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type)).map(readable),
    // A client of a stream that fails is not told what was used so far.
    usage: problem ? undefined : (usage ?? NO_TOKENS),
    finish: finish === undefined ? undefined : (SAME_END[finish] ?? finish),
    message: problem?.message,
  };
}

const SAME_END: Readonly<Record<string, string>> = { sequence: "stop", pause: "stop", overflow: "length" };

/** A format without refusals gives them as text. */
function readable(part: Answer["parts"][number]): unknown {
  return part.type === "refusal" ? { ...part, type: "text" } : part;
}
