import { z } from "zod";
import { FileEdit } from "./changes.ts";
import { ContentPart, StepPart } from "./content.ts";
import { CallId, MessageId, RunId, StepId } from "./ids.ts";
import { LimitName, Limits, LimitScope, Usage } from "./limits.ts";

/** A run begins: from a user's message until the agent stops. Limits are those of this run alone. */
export const RunStarted = z.strictObject({
  type: z.literal("run.started"),
  runId: RunId,
  messageId: MessageId,
  limits: Limits,
});

/** A server took the run up again after the one that drove it had gone. */
export const RunResumed = z.strictObject({ type: z.literal("run.resumed"), runId: RunId });

/** `asked` needs the user. `detail` is a sentence for people; `errorCode` is set when the outcome is `failed`. */
export const RunOutcome = z.enum(["done", "asked", "failed", "cancelled", "limited"]);
export type RunOutcome = z.infer<typeof RunOutcome>;

export const RunEnded = z.strictObject({
  type: z.literal("run.ended"),
  runId: RunId,
  outcome: RunOutcome,
  detail: z.string(),
  errorCode: z.string().optional(),
});

/** One model call begins. The prompt is the fold of the log up to here. */
export const StepStarted = z.strictObject({
  type: z.literal("step.started"),
  stepId: StepId,
  runId: RunId,
  model: z.string(),
});

/** An attempt failed and is tried again after `delayMs`. `attempt` counts from 1. */
export const StepRetried = z.strictObject({
  type: z.literal("step.retried"),
  stepId: StepId,
  attempt: z.number().int().positive(),
  maxAttempts: z.number().int().positive(),
  delayMs: z.number().nonnegative(),
  errorCode: z.string(),
  detail: z.string(),
});

/**
 * The whole of what the model said. `finish` is why it stopped: `stop` (its turn is over), `calls`, `length` (cut at
 * the output cap), `refusal`, `cancelled` (by the user; the calls in `content` were not made) or `failed`.
 * `costUsd` is 0 with `priced: false` when no price is known.
 */
export const StepEnded = z.strictObject({
  type: z.literal("step.ended"),
  stepId: StepId,
  finish: z.enum(["stop", "calls", "length", "refusal", "cancelled", "failed"]),
  content: z.array(StepPart),
  usage: Usage,
  costUsd: z.number().nonnegative(),
  priced: z.boolean(),
  latencyMs: z.number().nonnegative(),
  firstOutputMs: z.number().nonnegative().optional(),
  model: z.string(),
});

/** Written before the call leaves. `bootId` is the sandboxd start it goes to; absent for calls made in the server. */
export const CallStarted = z.strictObject({
  type: z.literal("call.started"),
  callId: CallId,
  stepId: StepId,
  tool: z.string(),
  bootId: z.string().optional(),
});

/** What a tool gives programs beside the text for the model; each field is set by the tools that have it. */
export const CallData = z.strictObject({
  exitCode: z.number().int().nullable().optional(),
  running: z.boolean().optional(),
  terminal: z.string().optional(),
  outputBytes: z.number().int().nonnegative().optional(),
  outputFile: z.string().optional(),
  path: z.string().optional(),
  fileHash: z.string().optional(),
  lines: z.number().int().nonnegative().optional(),
  matches: z.number().int().nonnegative().optional(),
  edits: z.array(FileEdit).optional(),
  tasks: z
    .array(z.strictObject({ title: z.string(), status: z.enum(["pending", "active", "done", "dropped"]) }))
    .optional(),
  question: z.string().optional(),
  choices: z.array(z.string()).optional(),
});
export type CallData = z.infer<typeof CallData>;

/**
 * A call is over. `ok`: it did what was asked (a command that exits 1 is `ok`: that is its answer). `error`: it could
 * not; `errorCode` says why. `lost`: whether it ran is unknown. `content` is what the model is told.
 */
export const CallEnded = z.strictObject({
  type: z.literal("call.ended"),
  callId: CallId,
  outcome: z.enum(["ok", "error", "lost", "cancelled"]),
  errorCode: z.string().optional(),
  content: z.array(ContentPart),
  data: CallData,
  durationMs: z.number().nonnegative(),
});

export const LimitReached = z.strictObject({
  type: z.literal("limit.reached"),
  scope: LimitScope,
  limit: LimitName,
  value: z.number(),
  max: z.number(),
});

/** The agent goes in circles. `told`: a notice to the model follows. `stopped`: the run ends as `asked`. */
export const StuckDetected = z.strictObject({
  type: z.literal("stuck.detected"),
  pattern: z.enum(["repeat", "alternate", "errors"]),
  detail: z.string(),
  action: z.enum(["told", "stopped"]),
});
