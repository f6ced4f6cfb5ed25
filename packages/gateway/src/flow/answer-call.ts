import { performance } from "node:perf_hooks";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { errorEvent } from "../http/error-event.ts";
import { ClientLeft } from "../http/read-body.ts";
import { problemBody, refusalOf } from "../http/refusal.ts";
import { writeStream } from "../http/write-stream.ts";
import type { LimitState } from "../ports/limits.ts";
import { answerHeaders } from "./answer-headers.ts";
import { ask } from "./ask.ts";
import { type Begun, isStream } from "./attempt.ts";
import { type CacheSlot, keepAnswer } from "./cached-answers.ts";
import type { Call } from "./call.ts";
import type { Core } from "./core.ts";
import type { CallFailure } from "./failure.ts";
import { type Recorder, recorder } from "./recorder.ts";
import { answerCost, costSoFar, counted } from "./settle.ts";

export type Answering = { readonly limits: readonly LimitState[]; readonly slot: CacheSlot | undefined };

/** Asks for the answer and sends it, or the reason why there is none. Never rejects; how it went is the call's progress. */
export async function answerCall(core: Core, call: Call, answering: Answering): Promise<void> {
  try {
    const result = await ask(core, call);
    if (result.kind === "begun") await send(core, call, { ...answering, begun: result });
    else sendFailure(core, call, result, answering.limits);
  } catch (thrown) {
    noteThrown(call, thrown);
    if (!(thrown instanceof ClientLeft))
      sendThrown(call, toAppError(thrown), answerHeaders(core, call, answering.limits));
  }
}

function noteThrown({ progress }: Call, thrown: unknown): void {
  if (thrown instanceof ClientLeft) {
    const whole = progress.firstByteMs !== undefined && progress.answer?.meter.complete() === true;
    progress.outcome = whole ? "ok" : "aborted";
    progress.status ||= CLIENT_LEFT;
    return;
  }
  progress.outcome = progress.firstByteMs === undefined ? "failed" : "broken";
  progress.errorCode = toAppError(thrown).code;
}

/** What nginx and LiteLLM note for a client that left. */
const CLIENT_LEFT = 499;

/** The error as an answer, or as an event where the answer has begun. */
function sendThrown(call: Call, error: AppError, headers: Record<string, string>): void {
  const { response, asked, progress } = call;
  const refusal = refusalOf(error, asked.format);
  progress.status ||= refusal.status;
  if (response.destroyed) return;
  if (!response.headersSent) {
    sendJson(call, refusal.status, {
      headers: { ...headers, ...refusal.headers },
      body: Buffer.from(JSON.stringify(refusal.body)),
    });
    return;
  }
  if (asked.format === "embeddings" || !asked.streamed) response.destroy();
  else response.end(errorEvent(asked.format, { status: refusal.status, message: error.message, code: error.code }));
}

type Json = { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array };

function sendJson({ response }: Call, status: number, { headers, body }: Json): void {
  response.writeHead(status, { "content-type": "application/json", ...headers, "content-length": body.length });
  response.end(body);
}

/** A provider's own refusal goes on as it is; only when to come again is not the gateway's to say. */
function sendFailure(core: Core, call: Call, { error, answer }: CallFailure, limits: readonly LimitState[]): void {
  const { progress } = call;
  progress.errorCode = error.code;
  const headers = answerHeaders(core, call, limits);
  if (answer === undefined || answer.status < 400) {
    sendThrown(call, error, headers);
    return;
  }
  progress.status = answer.status;
  const { "retry-after": after, "retry-after-ms": _, ...others } = answer.headers;
  const shown = {
    ...others,
    ...headers,
    "x-handrail-error": error.code,
    ...(after !== undefined && { "llm_provider-retry-after": after }),
  };
  const html = !/json/i.test(answer.headers["content-type"] ?? "");
  const body = html ? wrapped(call, error, answer.status) : answer.body;
  sendJson(call, answer.status, { headers: { ...shown, "content-type": "application/json" }, body });
}

/** What is no JSON is told in the client's format. */
function wrapped({ asked }: Call, { message }: AppError, status: number): Buffer {
  return Buffer.from(JSON.stringify(problemBody(asked.format, { status, message })));
}

type Sending = Answering & { readonly begun: Begun };

async function send(core: Core, call: Call, sending: Sending): Promise<void> {
  const { begun, limits } = sending;
  const { progress } = call;
  progress.answer = begun.answer;
  const record = recorderFor(core, sending.slot);
  progress.record = record;
  try {
    call.signal.throwIfAborted();
    const headers = { ...begun.answer.headers, ...answerHeaders(core, call, limits) };
    if (progress.cacheAsked) headers["x-handrail-cache"] = "miss";
    progress.status = begun.answer.status;
    progress.firstByteMs = performance.now() - call.began;
    if (isStream(begun.answer)) await sendStream(call, headers, { begun, record });
    else sendWhole(core, call, { headers, body: begun.first, record });
  } finally {
    begun.end();
    if (begun.rest) await begun.rest.return?.();
  }
  progress.pending = false;
  progress.outcome = begun.answer.meter.complete() ? "ok" : "broken";
  if (progress.outcome === "broken") progress.errorCode = "model_stream_broken";
  if (progress.outcome === "ok") keep(core, call, { ...sending, record });
}

function recorderFor(core: Core, slot: CacheSlot | undefined): Recorder | undefined {
  const most = Math.max(slot?.rules.maxBytes ?? 0, core.bodies?.maxBytes ?? 0);
  return most > 0 ? recorder(most) : undefined;
}

type Streaming = { readonly begun: Begun; readonly record: Recorder | undefined };

async function sendStream(call: Call, headers: Record<string, string>, { begun, record }: Streaming): Promise<void> {
  const { response, signal } = call;
  response.writeHead(begun.answer.status, { "cache-control": "no-cache", ...headers });
  await writeStream(
    response,
    { first: begun.first, rest: begun.rest, tap: record && ((chunk) => record.see(chunk)) },
    signal,
  );
  response.end();
}

type Whole = {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  readonly record: Recorder | undefined;
};

function sendWhole(core: Core, call: Call, { headers, body, record }: Whole): void {
  const cost = costSoFar(core, call);
  if (cost !== undefined) headers["x-litellm-response-cost"] = String(cost);
  record?.see(body);
  sendJson(call, call.progress.status, { headers, body });
}

function keep(
  core: Core,
  call: Call,
  { slot, begun, record }: Sending & { readonly record: Recorder | undefined },
): void {
  const body = slot && record?.whole();
  if (slot === undefined || body === undefined) return;
  keepAnswer(slot, call.asked, {
    status: begun.answer.status,
    contentType: begun.answer.headers["content-type"] ?? "application/json",
    body,
    costUsd: answerCost(core, call),
    usage: counted(call).usage,
    storedAt: core.now(),
  });
}
