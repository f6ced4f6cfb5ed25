import { randomUUIDv7 } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { authenticate, type Caller } from "../auth/authenticate.ts";
import { ClientLeft, readBody } from "../http/read-body.ts";
import { refusalOf } from "../http/refusal.ts";
import type { CachedAnswer } from "../ports/answer-cache.ts";
import type { Group } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";
import { type Asked, readAsked } from "../request/asked.ts";
import { traceContext } from "../request/trace-context.ts";
import { DEFAULT_TIMEOUT_MS } from "../upstream/create-upstream.ts";
import { admitCall } from "./admit.ts";
import { MAX_BACKOFF_MS } from "./ask.ts";
import { answerCall } from "./answer-call.ts";
import { answerHeaders, keepsBodies } from "./answer-headers.ts";
import { cachedAnswer, cacheSlot, usageIn } from "./cached-answers.ts";
import { beginTrace } from "./begin-trace.ts";
import { type Call, newProgress } from "./call.ts";
import type { Core } from "./core.ts";
import { type Departure, watchDeparture } from "./departure.ts";
import { estimate } from "./estimate.ts";
import { redacted } from "./redacted.ts";
import { settleCall } from "./settle.ts";

/** A request for a model's answer, as it came. */
export type Incoming = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly format: Format;
  /** Where the path names it. */
  readonly model?: string | undefined;
  readonly route: string;
};

/** Answers a call, whatever comes. Never rejects. */
export async function runCall(core: Core, incoming: Incoming): Promise<void> {
  const departure = watchDeparture(incoming.response);
  core.observer.callStarted?.();
  try {
    await understood(core, incoming, departure);
  } catch (thrown) {
    refuse(core, incoming, thrown);
  } finally {
    departure.stop();
  }
}

async function understood(core: Core, incoming: Incoming, departure: Departure): Promise<void> {
  const began = performance.now();
  const at = core.now();
  const { request, response, format, route } = incoming;
  const caller = await authenticate(core, request, at);
  const bytes = await readBody(request, { maxBytes: core.limits.maxBodyBytes, timeoutMs: core.limits.bodyTimeoutMs });
  const body = redacted(core, response, bytes);
  const asked = readAsked({ format, headers: request.headers, body, ...(incoming.model && { model: incoming.model }) });
  const parent = traceContext(request.headers);
  const known = { id: randomUUIDv7(), at, began, caller, asked, route, response, parent, signal: departure.signal };
  const trace = beginTrace(core, known);
  try {
    await underWay(core, { ...known, trace }, departure);
  } catch (thrown) {
    const error = toAppError(thrown);
    trace?.refused(refusalOf(error, format).status, error.code);
    throw thrown;
  }
}

type Known = Omit<Call, "group" | "estimate" | "progress">;

async function underWay(core: Core, known: Known, departure: Departure): Promise<void> {
  const { asked, caller } = known;
  const group = permitted(core, caller, asked.model);
  const timer = setTimeout(() => departure.end(overdue(asked)), timeoutOf(core, asked, group));
  const progress = newProgress(group.name);
  departure.lingersWhile(() => progress.answer?.meter.complete() === true);
  try {
    await admitted(core, { ...known, group, estimate: estimate(asked, group, core.prices), progress });
  } finally {
    clearTimeout(timer);
  }
}

/** @throws AppError `model_forbidden`, `model_not_found` */
export function permitted(core: Core, caller: Caller, model: string): Group {
  const group = core.catalog.find(model);
  if (!caller.allows(model) && !(group && caller.allows(group.name))) {
    throw new AppError("model_forbidden", `This key may not use the model ${model}.`, { field: "model" });
  }
  if (group) return group;
  throw new AppError("model_not_found", `There is no model ${model}. \`/v1/models\` lists those that there are.`, {
    field: "model",
  });
}

/** What the client says; else as long as every try may take, one after the other, with the pauses between them. */
function timeoutOf(core: Core, { timeoutMs, retries, fallbacks }: Asked, group: Group): number {
  if (timeoutMs !== undefined) return timeoutMs;
  const [first] = group.deployments;
  const tries = 1 + (retries ?? first?.maxRetries ?? core.routing().retries);
  const others = Math.max(fallbacks.length, group.fallbacks.length);
  const longest = Math.max(0, ...group.deployments.map((place) => place.timeoutMs ?? DEFAULT_TIMEOUT_MS));
  return Math.min(LONGEST_CALL_MS, (longest + MAX_BACKOFF_MS) * (tries + others));
}

const LONGEST_CALL_MS = 3_600_000;

const overdue = ({ model }: Asked) =>
  new AppError("model_timeout", `The model ${model} did not finish its answer in time.`, { model });

async function admitted(core: Core, call: Call): Promise<void> {
  const slot = cacheSlot(core.cache, call.asked, call.caller.key, call.group);
  call.progress.cacheAsked = slot !== undefined && call.asked.cache.read;
  const hit = slot && (await cachedAnswer(slot, call.asked, core.now()));
  if (hit) return replayed(core, { ...call, estimate: NOTHING }, hit);
  const limits = await admitCall(core, call);
  try {
    await answerCall(core, call, { limits, slot });
  } finally {
    settleCall(core, call);
    keepBodies(core, call, call.progress.record?.beginning());
  }
}

/** A cached answer costs nothing, but is a request like any other. */
const NOTHING = { promptTokens: 0, answerTokens: 0, nanoUsd: 0 };

async function replayed(core: Core, call: Call, hit: CachedAnswer): Promise<void> {
  const limits = await admitCall(core, call);
  const { progress, response } = call;
  try {
    progress.outcome = "cached";
    progress.status = hit.status;
    progress.firstByteMs = performance.now() - call.began;
    response.writeHead(hit.status, { ...answerHeaders(core, call, limits), ...hitHeaders(hit, core.now()) });
    response.end(hit.body);
  } finally {
    settleCall(core, call, { usage: usageIn(hit), usd: hit.costUsd });
    keepBodies(core, call, hit.body);
  }
}

function hitHeaders({ contentType, body, storedAt }: CachedAnswer, now: number): Record<string, string | number> {
  return {
    "content-type": contentType,
    "content-length": body.length,
    "x-handrail-cache": "hit",
    age: Math.max(0, Math.floor((now - storedAt) / 1000)),
    "x-litellm-response-cost": "0",
  };
}

function keepBodies(core: Core, call: Call, answer?: Uint8Array): void {
  const { id, at, caller, asked, progress } = call;
  const { bodies } = core;
  if (bodies === undefined || !keepsBodies(core, call)) return;
  bodies.keep({
    callId: id,
    at,
    keyId: caller.key.id,
    model: asked.model,
    status: progress.status,
    request: asked.body.subarray(0, bodies.maxBytes),
    answer: answer?.subarray(0, bodies.maxBytes) ?? new Uint8Array(),
  });
}

/** A call that was not let through. */
function refuse(core: Core, { response, format, route, request }: Incoming, thrown: unknown): void {
  if (thrown instanceof ClientLeft) return;
  const error = toAppError(thrown);
  const { status, headers, body } = refusalOf(error, format);
  core.observer.refused?.({ status, code: error.code, route });
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  // What is still to come of the request is not read.
  const closing = request.complete ? {} : { connection: "close" };
  response.writeHead(status, {
    ...headers,
    ...closing,
    "content-type": "application/json",
    "content-length": bytes.length,
  });
  response.end(bytes);
}
