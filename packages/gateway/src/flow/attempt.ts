import { performance } from "node:perf_hooks";
import type { Deployment } from "../ports/deployment.ts";
import type { Lane, LaneAnswer } from "../ports/lane.ts";
import type { Call } from "./call.ts";
import type { Core } from "./core.ts";
import { answeredFailure, type CallFailure, mayBeBilled, thrownFailure } from "./failure.ts";
import { unansweredTry } from "./settle.ts";

/** An answer whose first bytes are there. */
export type Begun = {
  readonly kind: "begun";
  readonly answer: LaneAnswer;
  /** All of it where it was not streamed, else its beginning. */
  readonly first: Uint8Array;
  /** Undefined where nothing follows. */
  readonly rest: AsyncIterator<Uint8Array> | undefined;
  /** Counts as busy until this is called. */
  readonly end: () => void;
};

/** Asks one deployment once. @throws the call's reason when it was aborted */
export async function attempt(core: Core, call: Call, { deployment, lane }: { deployment: Deployment; lane: Lane }) {
  const began = performance.now();
  const busy = core.places.begin(deployment, call.estimate.promptTokens + call.estimate.answerTokens);
  call.progress.deployment = deployment;
  call.progress.pending = false;
  call.progress.trying = call.trace?.tries(deployment);
  let result: CallFailure | Omit<Begun, "kind" | "end">;
  try {
    result = await asked(call, deployment, lane);
  } catch (thrown) {
    if (call.signal.aborted) {
      busy.end();
      throw call.signal.reason;
    }
    result = thrownFailure(thrown);
  }
  const ms = performance.now() - began;
  call.progress.waitedMs += ms;
  if ("kind" in result) {
    noteUnanswered(core, call, result);
    busy.end();
    endTry(call, result);
    noteFailed(core, deployment, { failure: result, ms });
    return result;
  }
  noteSucceeded(core, deployment, { answer: result.answer, ms });
  return { kind: "begun", ...result, end: () => busy.end() } satisfies Begun;
}

/** Whatever comes of the call, this try may be on the provider's bill. */
function noteUnanswered(core: Core, call: Call, { error, answer }: CallFailure): void {
  const { progress } = call;
  if (progress.pending && mayBeBilled(error, answer?.status)) progress.unanswered = unansweredTry(core, call);
  progress.pending = false;
}

function endTry({ progress }: Call, { error, answer }: CallFailure): void {
  progress.trying?.ended({ status: answer?.status ?? 0, errorCode: error.code });
  progress.trying = undefined;
}

async function asked(
  call: Call,
  deployment: Deployment,
  lane: Lane,
): Promise<CallFailure | Omit<Begun, "kind" | "end">> {
  const { asked: request, progress, parent } = call;
  const answer = await lane(
    {
      callId: call.id,
      deployment: patient(deployment, call),
      model: deployment.model,
      format: request.format,
      streamed: request.streamed,
      body: request.body,
      parsed: request.parsed,
      headers: request.headers,
      trace: progress.trying?.context ?? parent,
      sent: () => (progress.pending = true),
    },
    call.signal,
  );
  if (answer.status >= 300) return answeredFailure({ ...answer, body: await whole(answer.body) }, deployment);
  if (Buffer.isBuffer(answer.body) || !isStream(answer)) {
    return { answer, first: await whole(answer.body), rest: undefined };
  }
  const rest = answer.body[Symbol.asyncIterator]();
  const first = await rest.next();
  return { answer, first: first.done ? new Uint8Array() : first.value, rest: first.done ? undefined : rest };
}

export const isStream = ({ headers }: LaneAnswer) => /^text\/event-stream/i.test(headers["content-type"] ?? "");

/** The client may want other times than the deployment's. */
function patient(deployment: Deployment, { asked: { timeoutMs, streamTimeoutMs } }: Call): Deployment {
  if (timeoutMs === undefined && streamTimeoutMs === undefined) return deployment;
  return {
    ...deployment,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamTimeoutMs !== undefined && { streamTimeoutMs }),
  };
}

async function whole(body: LaneAnswer["body"]): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

/** Failures that say something of the deployment, rather than of the request. */
const ITS_OWN = new Set(["passing", "place"]);
const LONGEST_REST_MS = 60_000;

type Failed = { readonly failure: CallFailure; readonly ms: number };

function noteFailed(core: Core, deployment: Deployment, { failure, ms }: Failed): void {
  const { kind, error, retryAfterMs, answer } = failure;
  const status = answer?.status ?? 0;
  core.observer.tried?.({ deployment, ok: false, status, errorCode: error.code, ms });
  if (!ITS_OWN.has(kind)) return;
  const rest = retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, LONGEST_REST_MS);
  const until = kind === "place" ? core.now() + core.routing().cooldownMs : undefined;
  const restUntil = rest !== undefined && rest > 0 ? core.now() + rest : until;
  core.places.failed(deployment, { error: error.message, ...(restUntil !== undefined && { restUntil }) });
}

function noteSucceeded(core: Core, deployment: Deployment, { answer, ms }: { answer: LaneAnswer; ms: number }): void {
  core.observer.tried?.({ deployment, ok: true, status: answer.status, ms });
  core.places.succeeded(deployment, ms);
}
