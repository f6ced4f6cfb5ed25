import { parseJson } from "@handrail/models/json";
import { expect, test } from "vitest";
import { sseSplitter } from "../codecs/sse.ts";
import { EVENT_READERS } from "./event-readers.ts";
import { laterCount } from "./later-count.ts";
import { streamMeter } from "./stream-meter.ts";
import { RECORDED } from "../testing/recorded-streams.ts";

for (const { name, format, bytes } of RECORDED) {
  test(`${name} has at every event as many characters, and the end, that reading each event gives`, () => {
    const [meter, late] = [streamMeter(format, {}), streamMeter(format, {})];
    let characters = 0;
    let ends = false;
    for (const data of sseSplitter().push(bytes)) {
      const event = Buffer.from(`data: ${data}\n\n`);
      meter.see(event);
      late.see(event);
      const reading = data === "[DONE]" ? { ends: true } : EVENT_READERS[format](parseJson(data));
      characters += reading.characters ?? 0;
      ends ||= reading.ends === true;
      expect([meter.characters(), meter.complete()]).toEqual([characters, ends]);
    }
    expect([late.characters(), late.usage(), late.upstreamId(), late.model()]).toEqual([
      characters,
      meter.usage(),
      meter.upstreamId(),
      meter.model(),
    ]);
  });
}

const delta = (content: string, more: object = {}) =>
  `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta: { content }, ...more }] })}\n\n`;

test("a text that looks like a name, an end or an error is only a text", () => {
  const meter = streamMeter("chat", {});
  for (const text of ["a", '"usage"', '"finish_reason":"stop"', '{"error":1}']) meter.see(Buffer.from(delta(text)));
  expect([meter.characters(), meter.complete(), meter.failed(), meter.usage()]).toEqual([
    1 + 7 + 22 + 11,
    false,
    false,
    undefined,
  ]);
  meter.see(Buffer.from(delta("b", { finish_reason: "stop" })));
  expect([meter.characters(), meter.complete()]).toEqual([1 + 7 + 22 + 11 + 1, true]);
});

test("what waits to be counted is counted when it is asked for, or becomes too much", () => {
  const counted: string[] = [];
  const later = laterCount((text) => counted.push(text) && text.length, 10);
  for (const text of ["1234", "5678"]) later.keep(text);
  expect([counted, later.waiting()]).toEqual([[], 8]);
  later.keep("90abc");
  expect([counted, later.waiting()]).toEqual([["1234", "5678", "90abc"], 0]);
  later.keep("d");
  expect([later.count(), later.count(), counted.length]).toEqual([14, 14, 4]);
});
