import { parseJson } from "@handrail/models/json";
import { AppError } from "@handrail/protocol/errors";
import { CODECS } from "../codecs/codec.ts";
import { exactJson } from "../codecs/exact-json.ts";
import { readProblem } from "../codecs/problems.ts";
import type { AnswerEvent, Prompt } from "../codecs/prompt.ts";
import type { Fields } from "../codecs/refuse.ts";
import { refuse } from "../codecs/refuse.ts";
import { sseSplitter } from "../codecs/sse.ts";
import type { Deployment } from "../ports/deployment.ts";
import type { ChatFormat, Format } from "../ports/format.ts";
import type { Lane, LaneAnswer, LaneCall } from "../ports/lane.ts";
import type { Received, Send } from "../ports/send.ts";
import { type Answering, problemAnswer, streamedAnswer, wholeAnswer } from "./answers.ts";
import { withPlainIds } from "../sdk/call-ids.ts";
import { eventMeter } from "./event-meter.ts";
import { exactRequest } from "./exact-request.ts";
import { headersFor } from "./headers.ts";
import { wholeBody } from "./whole-body.ts";

export type TranslatedOptions = {
  readonly send: Send;
  /** The formats that a deployment speaks. */
  readonly speaks: (deployment: Deployment) => readonly Format[];
  /** Unix milliseconds. */
  readonly now?: () => number;
};

/** Which of a provider's formats keeps most of what a client's format says. The first that it speaks is taken. */
const NEAREST: Readonly<Record<ChatFormat, readonly ChatFormat[]>> = {
  chat: ["responses", "messages"],
  messages: ["responses", "chat"],
  responses: ["chat", "messages"],
};

/** The format in which a client's request goes to a provider that speaks others; undefined when it speaks none. */
export function nearestFormat(format: Format, spoken: readonly Format[]): ChatFormat | undefined {
  return format === "embeddings" ? undefined : NEAREST[format].find((other) => spoken.includes(other));
}

/**
 * Translates Chat Completions, Messages and Responses into one another.
 * @throws AppError also `bad_request` for what is no request of the client's format, `model_stream_broken` for an answer
 * that is none
 */
export function translatedLane({ send, speaks, now = Date.now }: TranslatedOptions): Lane {
  return async (call, signal) => {
    const target = nearestFormat(call.format, speaks(call.deployment));
    if (call.format === "embeddings" || target === undefined)
      return refuse("model", "Its provider speaks another format.");
    const warnings = new Set<string>();
    const prompt = CODECS[call.format].readRequest(exactRequest(call));
    const body = JSON.stringify(requestOf(prompt, call, { target, warnings }));
    const received = await send({ call, format: target, streamed: call.streamed, body }, signal);
    const answering: Answering = {
      call,
      format: call.format,
      client: { usageAsked: prompt.usageAsked, created: Math.floor(now() / 1000) },
      meter: eventMeter(received.headers),
      lane: "translated",
      headers: headersFor(received.headers),
      warnings: [...warnings],
    };
    return answerOf(answering, target, received);
  };
}

type To = { readonly target: ChatFormat; readonly warnings: Set<string> };

function requestOf(prompt: Prompt, call: LaneCall, { target, warnings }: To): Fields {
  const { provider, maxOutputTokens } = call.deployment;
  const from = call.format as ChatFormat;
  return CODECS[target].writeRequest(withPlainIds(prompt), {
    provider,
    model: call.model,
    maxOutputTokens,
    from,
    warnings,
  });
}

async function answerOf(answering: Answering, format: ChatFormat, received: Received): Promise<LaneAnswer> {
  const json = /^application\/(?:[\w.]+\+)?json/.test(received.headers["content-type"] ?? "");
  if (received.status < 400 && answering.call.streamed && !json) {
    return streamedAnswer(answering, eventsOf(format, received.body));
  }
  const text = await wholeBody(received.body);
  if (received.status >= 400) return problemAnswer(answering, readProblem(text, received.status));
  const events = readWhole(format, text);
  if (!answering.call.streamed) return wholeAnswer(answering, events);
  return streamedAnswer(answering, batchOf(events));
}

/** For a server that does not stream although it was asked to. */
async function* batchOf(events: readonly AnswerEvent[]): AsyncGenerator<readonly AnswerEvent[]> {
  yield events;
}

function readWhole(format: ChatFormat, text: string): readonly AnswerEvent[] {
  const body = parseJson(text);
  if (body === undefined) {
    throw new AppError("model_stream_broken", "The model's API answered with something that is not JSON.");
  }
  if (format !== "messages") return CODECS[format].readAnswer(body);
  const { content } = exactJson(text) as Fields;
  return CODECS[format].readAnswer({ ...(body as Fields), content });
}

/** The events of each chunk of bytes. @throws AppError `model_stream_broken` when the stream stops before its end */
export async function* eventsOf(
  format: ChatFormat,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly AnswerEvent[]> {
  const splitter = sseSplitter();
  const reader = CODECS[format].reader();
  let ended = false;
  const seen = (events: readonly AnswerEvent[]) => {
    ended ||= events.some(({ type }) => type === "end" || type === "error");
    return events;
  };
  for await (const chunk of chunks) yield seen(splitter.push(chunk).flatMap((data) => reader.take(data)));
  yield seen(reader.close());
  if (!ended) throw new AppError("model_stream_broken", "The model's answer broke off before its end.");
}
