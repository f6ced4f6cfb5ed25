import type { SetupOrigin } from "@handrail/protocol/setup";
import { SETUP_SCRIPT } from "@handrail/protocol/setup";
import type { TerminalReport } from "@handrail/protocol/sandboxd/terminal-operations";
import { toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import type { Journal } from "./journal.ts";
import type { Clock } from "./ports/clock.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import type { OpenedSetup, SetupCache } from "./ports/setup-cache.ts";
import type { RunPorts } from "./run-ports.ts";

export type SetUp = {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly newId: RunPorts["newId"];
  /** Absent: each new workspace is set up from nothing. */
  readonly cache?: SetupCache | undefined;
  /** A set-up that takes longer is killed. */
  readonly limitMs: number;
};

type Plan = { readonly command: string; readonly shown: string; readonly origin: SetupOrigin };
type Ended = Pick<EventOf<"setup.ended">, "outcome" | "exitCode" | "output">;

const TERMINAL = "setup";
const CAP_BYTES = 16_000;
const MAX_ATTEMPTS = 3;
const SAY_EVERY_MS = 200;
/** Colours and movements of the cursor (ECMA-48 §5.4). */
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/**
 * Sets a new workspace up, before the agent acts: by the conversation's own command or the repository's script, or with
 * the kept result of an earlier one. Writes to the log what it does. A set-up that fails is said and ends nothing.
 * @throws AppError `sandbox_gone` when the sandbox went meanwhile; the signal's reason when aborted
 */
export async function setUp(
  parts: SetUp,
  sandbox: Sandbox,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { journal } = parts;
  const before = journal.state.setup ?? { running: null, attempts: 0, done: false };
  const plan = before.done ? undefined : await planFor(journal, sandbox, signal);
  if (plan === undefined) return;
  if (before.attempts >= MAX_ATTEMPTS) return giveUp(journal, plan);
  const work = { ...parts, plan, sandbox, onProgress };
  const { running } = before;
  if (running !== null && (await isUnderWay(running, sandbox))) {
    return run(work, running.callId, parts.cache && WENT_ON, signal);
  }
  await begin(work, signal);
}

/** In place of a result's keeper, where the set-up began before this server. */
const WENT_ON: OpenedSetup = {
  reuse: async () => undefined,
  keep: async () =>
    "It went on while the server was away, so that what was there before it is not known. It is not kept.",
};

/** With the result of an earlier one where there is one that fits. */
async function begin(work: Work, signal: AbortSignal): Promise<void> {
  const { journal, newId, sandbox, plan, onProgress } = work;
  onProgress("Looking for an earlier set-up");
  const opened = await openCache(work, signal);
  if (opened !== undefined && (await reuse(work, opened, signal))) return;
  const callId = newId("k");
  const { bootId } = sandbox;
  await journal.commit(() => [{ type: "setup.started", callId, bootId, command: plan.shown, origin: plan.origin }]);
  await run(work, callId, opened, signal);
}

type Work = SetUp & {
  readonly plan: Plan;
  readonly sandbox: Sandbox;
  readonly onProgress: (text: string) => void;
};

/** Undefined when there is nothing to run. Without isolation a repository's script never runs by itself. */
async function planFor({ state }: Journal, sandbox: Sandbox, signal: AbortSignal): Promise<Plan | undefined> {
  const { setupChoice, source } = state;
  if (setupChoice.type === "none") return undefined;
  if (setupChoice.type === "command") {
    return { command: setupChoice.command, shown: setupChoice.command, origin: "conversation" };
  }
  if (source.type === "empty" || sandbox.backend === "none") return undefined;
  const args = { path: SETUP_SCRIPT, fromLine: 1, maxLines: 1, capBytes: 1000, within: "workspace" } as const;
  const there = await sandbox.call("file.read", args, { signal }).catch(() => signal.throwIfAborted());
  const command = `if [ -x ${SETUP_SCRIPT} ]; then ./${SETUP_SCRIPT}; else sh ${SETUP_SCRIPT}; fi`;
  return there === undefined ? undefined : { command, shown: SETUP_SCRIPT, origin: "repository" };
}

async function isUnderWay(
  running: { readonly callId: string; readonly bootId: string },
  sandbox: Sandbox,
): Promise<boolean> {
  return running.bootId === sandbox.bootId && (await sandbox.status(running.callId)) !== "unknown";
}

async function openCache(
  { cache, journal, sandbox, plan }: Work,
  signal: AbortSignal,
): Promise<OpenedSetup | undefined> {
  try {
    return await cache?.open(journal.state, sandbox, plan, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message } = toAppError(thrown);
    if (code === "sandbox_gone") throw thrown;
    return { reuse: async () => undefined, keep: async () => message };
  }
}

async function reuse(work: Work, opened: OpenedSetup, signal: AbortSignal): Promise<boolean> {
  const { journal, clock, plan, onProgress } = work;
  const startedAt = clock.now();
  onProgress("Putting an earlier set-up in place");
  const reused = await opened.reuse(signal).catch(() => undefined);
  signal.throwIfAborted();
  if (reused === undefined) return false;
  const { shown: command, origin } = plan;
  const ended = { outcome: "reused", exitCode: null, output: "", durationMs: clock.now() - startedAt } as const;
  const text = `The workspace was set up by \`${command}\`: the kept result of an earlier conversation was put in place.`;
  await journal.commit(() => [
    { type: "setup.ended", command, origin, ...ended, kept: true, reused },
    { type: "notice.added", audience: "model", code: "workspace_set_up", text },
  ]);
  return true;
}

/** Runs it, or waits for the one that runs already. */
async function run(work: Work, callId: string, opened: OpenedSetup | undefined, signal: AbortSignal): Promise<void> {
  const { journal, clock, plan, sandbox, onProgress } = work;
  const startedAt = journal.state.setup?.running?.at ?? clock.now();
  onProgress("Setting up the workspace");
  const ended = await outcomeOf(work, callId, signal).catch(async (thrown: unknown) => {
    if (signal.aborted) await journal.commit(() => [endedEvent(plan, CANCELLED, clock.now() - startedAt, {})]);
    throw thrown;
  });
  const durationMs = Math.max(0, clock.now() - startedAt);
  const keeping = ended.outcome === "ok" ? await keep(opened, durationMs, signal) : { kept: false };
  await journal.commit(() => [endedEvent(plan, ended, durationMs, keeping), noticeOf(plan, ended)]);
  sandbox.acknowledge([callId]);
}

async function outcomeOf(
  { plan, sandbox, limitMs, clock, onProgress }: Work,
  id: string,
  signal: AbortSignal,
): Promise<Ended> {
  const args = { terminal: TERMINAL, command: plan.command, timeoutMs: limitMs, capBytes: CAP_BYTES };
  try {
    const onOutput = lastLines(onProgress, clock);
    const report = await sandbox.call("terminal.run", args, { id, signal, onOutput });
    if (!report.running) return endOf(report);
    await sandbox.call("terminal.kill", { terminal: TERMINAL, capBytes: 0 }, { signal });
    return { ...endOf(report), outcome: "limited", exitCode: null };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message } = toAppError(thrown);
    if (code === "sandbox_gone" || code === "internal") throw thrown;
    return { outcome: "failed", exitCode: null, output: message };
  }
}

function endOf({ exitCode, output }: TerminalReport): Ended {
  return { outcome: exitCode === 0 ? "ok" : "failed", exitCode, output };
}

type Keeping = { readonly kept?: boolean; readonly notKept?: string };

async function keep(opened: OpenedSetup | undefined, ranMs: number, signal: AbortSignal): Promise<Keeping> {
  if (opened === undefined) return { kept: false };
  try {
    const notKept = await opened.keep(ranMs, signal);
    return notKept === undefined ? { kept: true } : { kept: false, notKept };
  } catch (thrown) {
    return { kept: false, notKept: toAppError(thrown).message };
  }
}

const CANCELLED: Ended = { outcome: "cancelled", exitCode: null, output: "" };

async function giveUp(journal: Journal, plan: Plan): Promise<void> {
  const output = `The sandbox went, or the set-up was interrupted, ${MAX_ATTEMPTS} times.`;
  const ended: Ended = { outcome: "failed", exitCode: null, output };
  await journal.commit(() => [endedEvent(plan, ended, 0, {}), noticeOf(plan, ended)]);
}

function endedEvent(plan: Plan, ended: Ended, durationMs: number, keeping: Keeping): EventOf<"setup.ended"> {
  const { shown: command, origin } = plan;
  return { type: "setup.ended", command, origin, ...ended, durationMs, kept: false, ...keeping };
}

/** The model has to know what is there already, and what is not. What was printed is the repository's, not ours to say. */
function noticeOf({ shown }: Plan, { outcome, exitCode }: Ended): ConversationEvent {
  const failed =
    outcome === "limited" ? "took too long and was stopped" : `failed${exitCode === null ? "" : ` (exit ${exitCode})`}`;
  const text =
    outcome === "ok"
      ? `The workspace was set up by \`${shown}\`, which ended well.`
      : `The workspace's set-up \`${shown}\` ${failed}. What it makes may be missing or incomplete; run it to see why.`;
  return { type: "notice.added", audience: "model", code: "workspace_set_up", text };
}

/** Shows the last line of what is printed, a few times a second. */
function lastLines(onProgress: (text: string) => void, clock: Clock) {
  const decoder = new TextDecoder();
  let saidAt = 0;
  return (_offset: number, bytes: Uint8Array): void => {
    const text = decoder.decode(bytes, { stream: true }).replaceAll(ESCAPES, "");
    const line =
      text
        .trim()
        .split(/[\r\n]/)
        .at(-1) ?? "";
    if (line === "" || clock.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = clock.now();
    onProgress(`Setting up: ${line.slice(0, 200)}`);
  };
}
