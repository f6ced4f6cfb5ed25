import type { StepPart } from "@handrail/protocol/content";
import { type AppError, toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { NO_USAGE } from "@handrail/protocol/limits";
import { allowance } from "./limits.ts";
import { fixedCharacters, modelRequest } from "./model-request.ts";
import type { Model, ModelRequest } from "./ports/model.ts";
import { MAX_ATTEMPTS, retryDelayMs } from "./retry.ts";
import type { RunSession } from "./run-session.ts";
import { type StepStream, stepStream } from "./step-stream.ts";
import { tokensOf } from "./token-estimate.ts";

/**
 * One model call, with its retries, from `step.started` to `step.ended`; or `limit.reached` instead, when the limits
 * leave no room for it.
 * @throws AppError when the model cannot be had or gave up after its retries; the signal's reason when aborted. In
 * both cases the step's end is left to the caller, with `endOfCutStep`.
 */
export async function runStep(session: RunSession, signal: AbortSignal): Promise<void> {
  const { ports, builder, estimate } = session;
  const { journal } = ports;
  const model = await ports.model(journal.state.model);
  const inputTokens = estimate.guess(builder.context, fixedCharacters(builder.context));
  const room = allowance(journal.state, model, inputTokens, ports.clock.now());
  if (room.type === "stop") {
    await journal.commit(() => [room.reached]);
    return;
  }
  const stepId = ports.newId("s");
  await journal.commit((state) => [
    ...unpricedNotice(session, model, state.limits.maxCostUsd ?? state.run?.limits.maxCostUsd),
    { type: "step.started", stepId, runId: session.runId, model: model.id },
  ]);
  const call = { conversationId: journal.state.id, maxOutputTokens: room.maxOutputTokens };
  const request = await modelRequest(builder.context, model, ports.store, call);
  const ended = await answered({ session, model, request, stepId, inputTokens }, signal);
  estimate.learn(ended.usage.inputTokens);
  await journal.commit(() => [ended]);
}

type Step = {
  readonly session: RunSession;
  readonly model: Model;
  readonly request: ModelRequest;
  readonly stepId: string;
  readonly inputTokens: number;
};

async function answered(step: Step, signal: AbortSignal): Promise<EventOf<"step.ended">> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptStep(step, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      await waitForRetry(step, toAppError(thrown), attempt, signal);
    }
  }
}

async function attemptStep(step: Step, signal: AbortSignal): Promise<EventOf<"step.ended">> {
  const { session, model, request, stepId } = step;
  const { ports } = session;
  const startedAt = ports.clock.now();
  const stream = stepStream({ stepId, newCallId: () => ports.newId("k"), emit: ports.emit });
  session.cut = { stepId, startedAt, inputTokens: step.inputTokens, stream, model };
  let firstOutputMs: number | undefined;
  for await (const output of model.stream(request, signal)) {
    stream.take(output);
    firstOutputMs ??= ports.clock.now() - startedAt;
  }
  signal.throwIfAborted();
  const { end } = stream;
  if (end === undefined) throw new Error("A model's stream ended without its end part.");
  session.cut = undefined;
  return {
    type: "step.ended",
    stepId,
    finish: end.finish,
    content: [...end.content],
    usage: end.usage,
    costUsd: end.costUsd ?? 0,
    priced: end.costUsd !== undefined,
    latencyMs: ports.clock.now() - startedAt,
    ...(firstOutputMs === undefined ? {} : { firstOutputMs }),
    model: end.model,
  };
}

async function waitForRetry(step: Step, error: AppError, attempt: number, signal: AbortSignal): Promise<void> {
  const { ports } = step.session;
  const delayMs = retryDelayMs(error, attempt, ports.random);
  if (delayMs === undefined) throw error;
  ports.emit({ type: "step.reset", stepId: step.stepId });
  await ports.journal.commit(() => [
    {
      type: "step.retried",
      stepId: step.stepId,
      attempt,
      maxAttempts: MAX_ATTEMPTS,
      delayMs,
      errorCode: error.code,
      detail: error.message,
    },
  ]);
  await ports.clock.sleep(delayMs, signal);
}

/** A cost limit that cannot hold is said aloud, once a run. */
function unpricedNotice(session: RunSession, model: Model, maxCostUsd: number | undefined): ConversationEvent[] {
  if (maxCostUsd === undefined || session.saidUnpriced) return [];
  if (model.price({ inputTokens: 1, outputTokens: 1 }) !== undefined) return [];
  session.saidUnpriced = true;
  const text = `No price is known for this model, so the cost limit cannot hold. Set its price in the settings, or limit steps or tokens instead.`;
  return [{ type: "notice.added", audience: "user", code: "cost_unknown", text }];
}

/** A step that was under way when it was cut off, as far as is known. */
export type CutStep = {
  readonly stepId: string;
  readonly model: Model;
  readonly startedAt: number;
  readonly inputTokens: number;
  readonly stream: StepStream;
};

/**
 * The end of a step that was cut off. Providers do not say what such a call used, so prompt and answer are counted
 * as guessed: limits and costs then err on the safe side.
 */
export function endOfCutStep(cut: CutStep, finish: "cancelled" | "failed", nowMs: number): EventOf<"step.ended"> {
  const content = cut.stream.partial();
  const outputTokens = tokensOf(content.reduce((sum, part) => sum + sizeOf(part), 0));
  const usage = cut.stream.started ? { ...NO_USAGE, inputTokens: cut.inputTokens, outputTokens } : NO_USAGE;
  const cost = cut.model.price(usage);
  return {
    type: "step.ended",
    stepId: cut.stepId,
    finish,
    content: [...content],
    usage,
    costUsd: cost ?? 0,
    priced: cost !== undefined,
    latencyMs: Math.max(0, nowMs - cut.startedAt),
    model: cut.model.id,
  };
}

const sizeOf = (part: StepPart) => (part.type === "call" ? part.arguments.length : part.text.length);
