import type { ChatFormat } from "../ports/format.ts";
import type { Lane, LaneAnswer, LaneCall } from "../ports/lane.ts";
import { readProblem } from "../codecs/problems.ts";
import { eventMeter } from "./event-meter.ts";
import { headersFor } from "./headers.ts";
import { problemAnswer } from "./answers.ts";
import type { TranslatedOptions } from "./translated.ts";
import { wholeBody } from "./whole-body.ts";

/** Says that a count was not made by the provider. */
export const ESTIMATED_HEADER = "x-handrail-estimated";

/**
 * Counts the tokens of a request of Messages: by a provider that speaks Messages, else as a quarter of the request's
 * characters, which the answer's header `x-handrail-estimated: true` says. Nothing is billed.
 */
export function countLane({ send, speaks }: Pick<TranslatedOptions, "send" | "speaks">): Lane {
  return async (call, signal) => {
    if (!speaks(call.deployment).includes("messages")) return estimated(call);
    const body = JSON.stringify({ ...call.parsed, model: call.model });
    const sent = { call, format: "messages", streamed: false, body, subpath: "/count_tokens" } as const;
    const received = await send(sent, signal);
    const text = await wholeBody(received.body);
    // A server of Messages that cannot count, such as a local one.
    if (received.status === 404 || received.status === 405) return estimated(call);
    if (received.status >= 400)
      return problemAnswer(answering(call, received.headers), readProblem(text, received.status));
    return { ...plain(text), headers: { ...headersFor(received.headers), "content-type": "application/json" } };
  };
}

function estimated(call: LaneCall): LaneAnswer {
  const input_tokens = Math.max(1, Math.ceil(promptCharacters(call.parsed) / 4));
  const headers = { "content-type": "application/json", [ESTIMATED_HEADER]: "true" };
  return { ...plain(JSON.stringify({ input_tokens })), headers };
}

/** Bytes of images and files are not text: each counts as much as a page. */
const PICTURE_CHARACTERS = 6_000;

function promptCharacters({ system, messages, tools }: LaneCall["parsed"]): number {
  let pictures = 0;
  const text = JSON.stringify([system ?? "", messages ?? [], tools ?? []], (key, value: unknown) => {
    if (key !== "data" || typeof value !== "string" || value.length < 1_000) return value;
    pictures += 1;
    return "";
  });
  return text.length + pictures * PICTURE_CHARACTERS;
}

function plain(text: string): LaneAnswer {
  const bytes = Buffer.from(text);
  return {
    status: 200,
    headers: {},
    body: (async function* () {
      yield bytes;
    })(),
    meter: eventMeter({}),
    lane: "pass-through",
    warnings: [],
  };
}

function answering(call: LaneCall, headers: Readonly<Record<string, string>>) {
  return {
    call,
    format: "messages" as ChatFormat,
    client: { usageAsked: true, created: 0 },
    meter: eventMeter(headers),
    lane: "pass-through" as const,
    headers: headersFor(headers),
    warnings: [],
  };
}
