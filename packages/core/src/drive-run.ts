import { toAppError } from "@handrail/protocol/errors";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { ConversationEvent } from "@handrail/protocol/events";
import { acquireSandbox } from "./acquire-sandbox.ts";
import { checkpoint } from "./checkpoint.ts";
import { timeLeft, timeReached } from "./limits.ts";
import { cancelledCalls, runCalls } from "./run-calls.ts";
import { decideNext, limitEnd } from "./run-ending.ts";
import type { RunPorts, RunSignals } from "./run-ports.ts";
import { openSession, type RunSession } from "./run-session.ts";
import { endOfCutStep, runStep } from "./run-step.ts";

/**
 * Drives the run that the log says is under way to its `run.ended`, from wherever the log stands: a run that another
 * process began goes on here. Returns without an end when `leave` is aborted: the run stays open for the next driver.
 * Does nothing when no run is under way.
 * @throws AppError `storage_full`, `storage_failed` when the log cannot be written; anything else ends the run
 */
export async function driveRun(ports: RunPorts, signals: RunSignals): Promise<void> {
  await ports.journal.catchUp();
  const { run } = ports.journal.state;
  if (run === null) return;
  const session = await openSession(ports, run.runId, signals.leave);
  const timer = runTimer(ports);
  const cutting = AbortSignal.any([signals.stop, timer.signal]);
  try {
    await noteResume(session);
    await unlessLeft(untilEnded(session, cutting, AbortSignal.any([cutting, signals.leave])), signals.leave);
  } catch (thrown) {
    if (signals.leave.aborted && !signals.stop.aborted) return;
    await endCut(session, { stop: signals.stop, cutting }, thrown);
  } finally {
    timer.cancel();
    session.close();
    await session.kept.close();
  }
  await checkpoint(ports, signals.leave);
}

/** Calls are cut only by `cutting`: when this process leaves, they go on in the sandbox and are asked about later. */
async function untilEnded(session: RunSession, cutting: AbortSignal, stepSignal: AbortSignal): Promise<void> {
  const { journal } = session.ports;
  for (;;) {
    stepSignal.throwIfAborted();
    const { state } = journal;
    if (state.run?.runId !== session.runId) return;
    if (state.calls.length > 0) {
      session.kept.callsBegin();
      await runCalls(session, cutting);
      session.kept.callsEnded();
      continue;
    }
    const decided = await journal.commit((now) => (now.calls.length > 0 ? [] : decideNext(now)));
    if (decided.length > 0) continue;
    // Before the first step, so that the repository's instructions are in the prompt from the start.
    if (state.liveSandbox === null || state.run.steps === 0) await acquireSandbox(session.ports, cutting);
    await runStep(session, stepSignal);
  }
}

/** A driver that finds traces of an earlier one says so in the log. */
async function noteResume(session: RunSession): Promise<void> {
  await session.ports.journal.commit(({ run, calls }) =>
    run !== null && (run.steps > 0 || run.step !== null || calls.length > 0)
      ? [{ type: "run.resumed", runId: run.runId }]
      : [],
  );
}

/** `cutting` is aborted when `stop` is, and when a time limit is reached. */
type CutSignals = { readonly stop: AbortSignal; readonly cutting: AbortSignal };

/** Ends a run that was stopped, ran out of time, or failed: one append, so that it is ended whole or not at all. */
async function endCut(session: RunSession, { stop, cutting }: CutSignals, thrown: unknown): Promise<void> {
  const { journal, clock } = session.ports;
  const error = toAppError(thrown);
  if (error.code === "storage_full" || error.code === "storage_failed") throw error;
  if (error.code === "internal" && !cutting.aborted) session.ports.onUnforeseen(thrown);
  await journal.commit((state) => {
    if (state.run?.runId !== session.runId) return [];
    const now = clock.now();
    const reached = stop.aborted ? undefined : timeReached(state, now);
    const cancelled = stop.aborted || reached !== undefined;
    const cut = cutEvents(session, state, cancelled ? "cancelled" : "failed", now);
    if (reached !== undefined) return [...cut, reached, limitEnd(state.run, reached)];
    if (stop.aborted) return [...cut, runEnded(session.runId, "cancelled", "Stopped by the user.")];
    return [...cut, { ...runEnded(session.runId, "failed", error.message), errorCode: error.code }];
  });
}

function cutEvents(
  session: RunSession,
  state: ConversationState,
  finish: "cancelled" | "failed",
  nowMs: number,
): readonly ConversationEvent[] {
  const calls = cancelledCalls(state.calls, nowMs);
  const { cut } = session;
  if (cut === undefined || state.run?.step?.stepId !== cut.stepId) return calls;
  return [endOfCutStep(cut, finish, nowMs), ...calls];
}

const runEnded = (runId: string, outcome: "cancelled" | "failed", detail: string) =>
  ({ type: "run.ended", runId, outcome, detail }) as const;

/** A signal that fires when the first time limit runs out. */
function runTimer(ports: RunPorts): { readonly signal: AbortSignal; cancel(): void } {
  const expired = new AbortController();
  const cancelled = new AbortController();
  const leftMs = timeLeft(ports.journal.state, ports.clock.now());
  if (leftMs !== undefined) {
    ports.clock.sleep(Math.max(0, leftMs), cancelled.signal).then(
      () => expired.abort(new Error("The time limit is reached.")),
      () => undefined,
    );
  }
  return { signal: expired.signal, cancel: () => cancelled.abort() };
}

/** The work's outcome, or a rejection as soon as `leave` is aborted; the work's own end is then of no interest. */
function unlessLeft(work: Promise<void>, leave: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(leave.reason);
    if (leave.aborted) left();
    leave.addEventListener("abort", left, { once: true });
    work.then(resolve, reject).finally(() => leave.removeEventListener("abort", left));
  });
}
