import type { ActiveRun, ConversationState } from "@handrail/protocol/conversation-state";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { stuckPattern } from "./stuck.ts";

const MAX_EMPTY = 2;
const MAX_CUT = 3;

type End = Omit<EventOf<"run.ended">, "type" | "runId">;

/**
 * What the log says comes next, when no call is pending: more events to write (an end, or a word to the model), or
 * nothing, which means: make a step. Pure, so that a resumed run decides as the one before it would have.
 */
export function decideNext(state: ConversationState): readonly ConversationEvent[] {
  const { run } = state;
  if (run === null) return [];
  if (run.limit !== null) return [limitEnd(run, run.limit)];
  if (run.stuck === "stopped") return [ended(run, { outcome: "asked", detail: STUCK })];
  if (state.unread > 0) return [];
  if (run.closing !== null) return [ended(run, run.closing)];
  return run.lastStep !== null && run.lastStep.calls === 0 ? afterWords(run, run.lastStep) : circling(run);
}

const STUCK = "The agent was going in circles and has stopped. Tell it what to do differently, or continue.";

const ended = (run: ActiveRun, end: End): EventOf<"run.ended"> => ({ type: "run.ended", runId: run.runId, ...end });

const toModel = (code: string, text: string): EventOf<"notice.added"> => ({
  type: "notice.added",
  audience: "model",
  code,
  text,
});

/** The model spoke and made no call: its turn is over, unless it said nothing or was cut off. */
function afterWords(run: ActiveRun, step: NonNullable<ActiveRun["lastStep"]>): readonly ConversationEvent[] {
  if (step.finish === "refusal") {
    const detail = `The model refused to go on${step.text === "" ? "." : `: ${step.text}`}`;
    return [ended(run, { outcome: "failed", errorCode: "model_refused", detail: short(detail) })];
  }
  if (step.finish === "length") return afterCut(run);
  if (step.text.trim() !== "") return [ended(run, { outcome: "done", detail: short(step.text) })];
  if (timesIn(run, "empty_answer") >= MAX_EMPTY) {
    const detail = "The model answered with nothing, several times. Continue to try again, or choose another model.";
    return [ended(run, { outcome: "failed", errorCode: "model_empty", detail })];
  }
  return [toModel("empty_answer", "Your answer was empty. Go on with a tool call, or say what the result is.")];
}

function afterCut(run: ActiveRun): readonly ConversationEvent[] {
  if (timesIn(run, "answer_cut") >= MAX_CUT) {
    const detail = "The model's answers keep reaching the output limit. Continue, or choose another model.";
    return [ended(run, { outcome: "failed", errorCode: "model_rejected", detail })];
  }
  return [toModel("answer_cut", "Your answer was cut off at the output limit. Go on from there, in smaller pieces.")];
}

/** First tells the model that it goes in circles; the second time stops the run. */
function circling(run: ActiveRun): readonly ConversationEvent[] {
  const found = stuckPattern(run);
  if (found === undefined) return [];
  if (run.stuck === "told") return [{ type: "stuck.detected", ...found, action: "stopped" }];
  return [
    { type: "stuck.detected", ...found, action: "told" },
    toModel("stuck", `${found.detail} That leads nowhere: try something else, or ask the user.`),
  ];
}

/** The end of a run whose limit is reached, with a sentence that names the limit. */
export function limitEnd(run: ActiveRun, reached: NonNullable<ActiveRun["limit"]>): EventOf<"run.ended"> {
  const { scope, limit, value, max } = reached;
  const place = scope === "run" ? "this run" : "the conversation";
  const detail = `The ${LIMIT_WORDS[limit]} limit of ${place} is reached: ${amount(limit, value)} of ${amount(limit, max)}.`;
  return ended(run, { outcome: "limited", detail });
}

const LIMIT_WORDS = { maxCostUsd: "cost", maxSteps: "step", maxTokens: "token", maxTimeMs: "time" } as const;

function amount(limit: keyof typeof LIMIT_WORDS, value: number): string {
  if (limit === "maxCostUsd") return `$${Number(value.toPrecision(3))}`;
  return limit === "maxTimeMs" ? `${Math.round(value / 1000)} s` : String(value);
}

const timesIn = (run: ActiveRun, code: string) => run.notices.filter((notice) => notice === code).length;

const short = (text: string) => (text.length <= 1000 ? text : `${text.slice(0, 999)}…`);
