import { expect, test } from "vitest";
import type { ChatFormat } from "../ports/format.ts";
import type { Send } from "../ports/send.ts";
import { isWholeEvent } from "../tee/event-cutter.ts";
import { laneCall, piecesOf } from "../testing/lane-calls.ts";
import { passThroughLane } from "./pass-through.ts";
import { RECORDED } from "../testing/recorded-streams.ts";

/** What a client that asked for usage gets of a stream that comes in these pieces, piece by piece, and how it ended. */
async function passed(format: ChatFormat, chunks: readonly Uint8Array[]) {
  const send: Send = async () => ({
    status: 200,
    headers: { "content-type": "text/event-stream" },
    body: (async function* () {
      yield* chunks;
    })(),
  });
  const call = laneCall(format, { model: "m", stream: true, stream_options: { include_usage: true } }, {});
  const pieces: Uint8Array[] = [];
  try {
    const answer = await passThroughLane(send)(call, new AbortController().signal);
    for await (const piece of piecesOf(answer)) pieces.push(Uint8Array.from(piece));
    return { status: answer.status, pieces, meter: answer.meter, broke: false };
  } catch {
    return { status: 200, pieces, meter: undefined, broke: true };
  }
}

const textOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString("latin1");

/** Up to the last blank line. */
function wholeEvents(text: string): string {
  const end = Math.max(text.lastIndexOf("\n\n") + 2, text.lastIndexOf("\n\r\n") + 3);
  return end < 3 ? "" : text.slice(0, end);
}

test("there are streams of every format", () => {
  expect(new Set(RECORDED.map(({ format }) => format))).toEqual(new Set(["chat", "messages", "responses"]));
});

for (const { name, format, bytes } of RECORDED) {
  const text = bytes.toString("latin1");

  test(`${name} passes byte by byte the same, wherever it is cut, and each event as soon as it is whole`, async () => {
    const whole = await passed(format, [bytes]);
    const usage = whole.meter?.usage();
    // An error that comes first is an answer with a status instead.
    if (whole.status !== 200) return;
    expect(textOf(whole.pieces)).toBe(text);
    for (let at = 1; at < bytes.length; at += 1) {
      const cut = await passed(format, [bytes.subarray(0, at), bytes.subarray(at)]);
      const same = textOf(cut.pieces) === text && JSON.stringify(cut.meter?.usage()) === JSON.stringify(usage);
      if (!same) expect({ at, text: textOf(cut.pieces), usage: cut.meter?.usage() }).toEqual({ at, text, usage });
      const early = wholeEvents(text.slice(0, at));
      if (early !== "" && textOf(cut.pieces.slice(0, 1)) !== early) {
        expect({ at, first: textOf(cut.pieces.slice(0, 1)) }).toEqual({ at, first: early });
      }
    }
  }, 60_000);

  test(`${name} that breaks off at any byte gives its whole events and nothing else`, async () => {
    if ((await passed(format, [bytes])).status !== 200) return;
    for (let at = 1; at < bytes.length; at += 1) {
      const { pieces, broke, status } = await passed(format, [bytes.subarray(0, at)]);
      const got = textOf(pieces);
      const early = wholeEvents(text.slice(0, at));
      if (broke && got !== early) expect({ at, got }).toEqual({ at, got: early });
      // Half of a first event is an answer that says no. Only what has said its end may pass for whole, without a half event.
      const rest = Buffer.from(text.slice(early.length, at), "latin1");
      const given = isWholeEvent(rest) ? text.slice(0, at) : early;
      const fits = status === 200 ? got === given : !early.includes("data:") && got.includes('"error"');
      if (!broke && !fits) expect({ at, status, got }).toEqual({ at, status: 200, got: given });
    }
  }, 60_000);
}
