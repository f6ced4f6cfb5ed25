import { AppError } from "@handrail/protocol/errors";
import { type BodyEdits, editBody } from "../request/edit-body.ts";
import { statusOf, writeProblem } from "../codecs/problems.ts";
import type { Problem } from "../codecs/prompt.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { Lane, LaneAnswer, LaneCall } from "../ports/lane.ts";
import type { Received, Send } from "../ports/send.ts";
import { eventCutter, isWholeEvent } from "../tee/event-cutter.ts";
import { streamMeter, type StreamMeter } from "../tee/stream-meter.ts";
import { wholeMeter } from "../tee/whole-meter.ts";
import { withoutUsage } from "../tee/without-usage.ts";
import { shownHeaders } from "../upstream/upstream-headers.ts";
import { droppedFields } from "./dropped-fields.ts";

const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/**
 * For a deployment that speaks the client's format: its bytes go on as they are, but for the model's name, for usage that is
 * asked for, and for what was meant for the gateway. The answer's bytes stay what they are.
 *
 * @throws AppError also `model_stream_broken` for an answer that is none
 */
export function passThroughLane(send: Send): Lane {
  return async (call, signal) => {
    const asksUsage = usageEdit(call);
    const set: BodyEdits["set"] = { model: JSON.stringify(call.model), ...asksUsage };
    const body = editBody(call.body, { set, drop: droppedFields(call) });
    const received = await send({ call, format: call.format, streamed: call.streamed, body }, signal);
    if (call.streamed && received.status < 400 && isEventStream(received)) {
      return streamed(call, received, asksUsage !== undefined);
    }
    return whole(call, received);
  };
}

const isEventStream = ({ headers }: Received) => /^text\/event-stream/i.test(headers["content-type"] ?? "");

/** A stream of Chat Completions tells its usage only to those who ask. */
function usageEdit({ format, streamed, parsed }: LaneCall): BodyEdits["set"] | undefined {
  if (format !== "chat" || !streamed) return undefined;
  const options = parsed["stream_options"];
  const given = typeof options === "object" && options !== null && !Array.isArray(options) ? options : {};
  if ("include_usage" in given && given.include_usage === true) return undefined;
  return { stream_options: JSON.stringify({ ...given, include_usage: true }) };
}

async function whole(call: LaneCall, received: Received): Promise<LaneAnswer> {
  const body = await bytesOf(received.body);
  const meter = wholeMeter(call.format, body, received.headers);
  const { status } = received;
  if (status < 300 && !meter.valid) throw noAnswer(received, body);
  return {
    status,
    headers: shownHeaders(received.headers),
    body,
    meter,
    lane: "pass-through",
    warnings: [],
  };
}

function noAnswer({ headers }: Received, body: Buffer): AppError {
  const page =
    /html/i.test(headers["content-type"] ?? "") || body.subarray(0, 64).toString("latin1").trim().startsWith("<");
  const what = page ? "a web page. Check the base URL; many end in /v1" : "something that is not JSON";
  return new AppError("model_stream_broken", `The model's API answered with ${what}.`, page ? { served: false } : {});
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > MAX_WHOLE_BYTES) throw new AppError("model_stream_broken", "The model's answer is over 64 MiB.");
    parts.push(part);
  }
  const [only] = parts;
  return parts.length === 1 && only ? asBuffer(only) : Buffer.concat(parts);
}

async function streamed(call: LaneCall, received: Received, hidesUsage: boolean): Promise<LaneAnswer> {
  const meter = streamMeter(call.format as ChatFormat, received.headers);
  const pieces = cutPieces(received.body, meter, hidesUsage);
  const first = await pieces.next();
  const problem = meter.firstProblem();
  const headers = shownHeaders(received.headers);
  if (problem) {
    await pieces.return?.();
    return refused(call, problem, { headers, meter });
  }
  const body = first.done ? empty() : from(first.value, pieces);
  return { status: received.status, headers, body, meter, lane: "pass-through", warnings: [] };
}

type Said = { readonly headers: Record<string, string>; readonly meter: StreamMeter };

/** An error that comes before anything else is an answer with a status, so that another deployment may be asked. */
function refused(call: LaneCall, problem: Problem, { headers, meter }: Said): LaneAnswer {
  const status = statusOf(problem);
  const body = Buffer.from(JSON.stringify(writeProblem(call.format as ChatFormat, { ...problem, status })));
  const shown = { ...headers, "content-type": "application/json" };
  return { status, headers: shown, body, meter, lane: "pass-through", warnings: [] };
}

/**
 * The stream in pieces that end with an event. What follows the last one goes too when the stream ends well, and not when it
 * breaks, so that half an event is never sent.
 */
function cutPieces(
  body: AsyncIterable<Uint8Array>,
  meter: StreamMeter,
  hidesUsage: boolean,
): AsyncIterableIterator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const cutter = eventCutter();
  const shown = (bytes: Buffer) => (hidesUsage ? withoutUsage(bytes) : bytes);
  let over = false;
  const last = (): IteratorResult<Uint8Array> => {
    over = true;
    const rest = cutter.rest();
    // Some servers leave out the blank line at the end.
    const whole = isWholeEvent(rest);
    if (whole) meter.see(Buffer.from("\n\n"));
    if (!meter.complete() && !meter.failed())
      throw new AppError("model_stream_broken", "The model's answer broke off before its end.");
    return whole ? { done: false, value: shown(rest) } : DONE;
  };
  // By hand: a generator would cost each chunk more turns.
  const pieces: AsyncIterableIterator<Uint8Array> = {
    async next() {
      if (over) return DONE;
      for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) {
        meter.see(chunk.value);
        const piece = cutter.push(asBuffer(chunk.value));
        const bytes = piece && shown(piece);
        if (bytes && bytes.length > 0) return { done: false, value: bytes };
      }
      return over ? DONE : last();
    },
    async return() {
      over = true;
      await chunks.return?.();
      return DONE;
    },
    [Symbol.asyncIterator]: () => pieces,
  };
  return pieces;
}

const DONE = { done: true, value: undefined } as const;

const asBuffer = (bytes: Uint8Array) =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** A chunk that was looked at, and what follows it. By hand: a generator would cost each chunk more turns. */
function from(first: Uint8Array, rest: AsyncIterableIterator<Uint8Array>): AsyncIterableIterator<Uint8Array> {
  let given = false;
  const all: AsyncIterableIterator<Uint8Array> = {
    next() {
      if (given) return rest.next();
      given = true;
      return Promise.resolve({ done: false, value: first });
    },
    return: async () => (await rest.return?.()) ?? DONE,
    [Symbol.asyncIterator]: () => all,
  };
  return all;
}

async function* empty(): AsyncGenerator<Uint8Array> {}
