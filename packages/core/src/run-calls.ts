import type { PendingCall } from "@handrail/protocol/conversation-state";
import { toAppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { acquireSandbox } from "./acquire-sandbox.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import type { RunSession } from "./run-session.ts";
import { toolNamed, ALL_TOOLS } from "./tools/all-tools.ts";
import type { PreparedCall, ToolAnswer } from "./tools/tool.ts";

/**
 * Makes the calls that wait for an outcome: neighbours that may run together do, the rest one after another. Returns
 * when each has its `call.ended` in the log.
 * @throws AppError when no sandbox can be had; the signal's reason when aborted
 */
export async function runCalls(session: RunSession, signal: AbortSignal): Promise<void> {
  for (const group of groups(session.ports.journal.state.calls)) {
    signal.throwIfAborted();
    const outcomes = await Promise.allSettled(group.map((call) => runCall(session, call, signal)));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }
}

/** The calls in their order, cut into runs of such as may go together. */
export function groups(calls: readonly PendingCall[]): readonly (readonly PendingCall[])[] {
  const cut: PendingCall[][] = [];
  let open = false;
  for (const call of calls) {
    const parallel = toolNamed(call.tool)?.parallel ?? true;
    const last = cut.at(-1);
    if (open && parallel && last !== undefined) last.push(call);
    else cut.push([call]);
    open = parallel;
  }
  return cut;
}

async function runCall(session: RunSession, call: PendingCall, signal: AbortSignal): Promise<void> {
  const prepared = prepare(call);
  if (prepared.place === "wrong") return answerHere(session, call, failure(prepared.code, prepared.problem));
  if (prepared.place === "local") return answerHere(session, call, { outcome: "ok", ...prepared.answer });
  const sandbox = await acquireSandbox(session.ports, signal);
  if (call.started !== null && call.started.bootId !== sandbox.bootId) {
    return endCall(session, call, [lostOutcome("The sandbox it ran in is gone.")]);
  }
  return runInSandbox(session, { call, run: prepared.run, sandbox }, signal);
}

type Outcome = { readonly outcome: EventOf<"call.ended">["outcome"]; readonly errorCode?: string } & ToolAnswer;
type Wrong = { readonly place: "wrong"; readonly code: string; readonly problem: string };

function prepare(call: PendingCall): PreparedCall | Wrong {
  const tool = toolNamed(call.tool);
  if (tool === undefined) {
    const names = ALL_TOOLS.map(({ name }) => name).join(", ");
    return { place: "wrong", code: "tool_unknown", problem: `There is no tool ${call.tool}. The tools are: ${names}.` };
  }
  const prepared = tool.prepare(call.arguments);
  return prepared.place === "wrong" ? { ...prepared, code: "tool_arguments" } : prepared;
}

/** A call, what it does, and where. */
type SandboxCall = {
  readonly call: PendingCall;
  readonly run: Extract<PreparedCall, { place: "sandbox" }>["run"];
  readonly sandbox: Sandbox;
};

async function runInSandbox(
  session: RunSession,
  { call, run, sandbox }: SandboxCall,
  signal: AbortSignal,
): Promise<void> {
  const { ports } = session;
  if (call.started === null) {
    await ports.journal.commit(() => [startedEvent(call, sandbox.bootId)]);
  }
  const startedAt = call.started?.at ?? ports.clock.now();
  const options = { id: call.callId, signal, onOutput: outputDeltas(session, call.callId) };
  const context = {
    sandbox,
    options,
    knownHash: (path: string) => hashOf(session.builder.context.fileHashes, path),
    putBlob: (bytes: Uint8Array) => ports.store.putBlob(bytes),
  };
  const outcomes: Outcome[] = [];
  let gone: string | undefined;
  try {
    outcomes.push({ outcome: "ok", ...(await run(context)) });
  } catch (thrown) {
    signal.throwIfAborted();
    // The connection was let go of, not the sandbox: the next driver asks it how the call ended.
    session.leave.throwIfAborted();
    const error = toAppError(thrown);
    if (error.code === "internal") throw error;
    if (error.code === "sandbox_gone") gone = error.message;
    outcomes.push(gone === undefined ? failure(error.code, error.message) : lostOutcome(gone));
  }
  await endCall(session, call, outcomes, { startedAt, lostSandbox: gone === undefined ? undefined : sandbox, gone });
  sandbox.acknowledge([call.callId]);
}

async function answerHere(session: RunSession, call: PendingCall, outcome: Outcome): Promise<void> {
  const started = call.started === null ? [startedEvent(call, undefined)] : [];
  await session.ports.journal.commit(() => [...started, endedEvent(call, outcome, 0)]);
}

type Ending = { startedAt: number; lostSandbox: Sandbox | undefined; gone: string | undefined };

async function endCall(
  session: RunSession,
  call: PendingCall,
  [outcome]: readonly Outcome[],
  ending?: Ending,
): Promise<void> {
  if (outcome === undefined) return;
  const { journal, clock } = session.ports;
  const durationMs = Math.max(0, clock.now() - (ending?.startedAt ?? call.started?.at ?? clock.now()));
  await journal.commit((state) => {
    const lost = ending?.lostSandbox;
    const events: ConversationEvent[] = [endedEvent(call, outcome, durationMs)];
    if (lost !== undefined && state.liveSandbox?.sandboxId === lost.sandboxId) {
      events.push({ type: "sandbox.lost", sandboxId: lost.sandboxId, detail: ending?.gone ?? "" });
    }
    return events;
  });
}

function startedEvent(call: PendingCall, bootId: string | undefined): EventOf<"call.started"> {
  return {
    type: "call.started",
    callId: call.callId,
    stepId: call.stepId,
    tool: call.tool,
    ...(bootId === undefined ? {} : { bootId }),
  };
}

function endedEvent(call: PendingCall, outcome: Outcome, durationMs: number): EventOf<"call.ended"> {
  return {
    type: "call.ended",
    callId: call.callId,
    outcome: outcome.outcome,
    ...(outcome.errorCode === undefined ? {} : { errorCode: outcome.errorCode }),
    content: [...outcome.content],
    data: outcome.data,
    durationMs,
  };
}

/** What every pending call becomes when the run is stopped. */
export function cancelledCalls(calls: readonly PendingCall[], nowMs: number): EventOf<"call.ended">[] {
  const answer: Outcome = {
    outcome: "cancelled",
    content: [{ type: "text", text: "Stopped before it ended." }],
    data: {},
  };
  return calls.map((call) =>
    endedEvent(call, answer, call.started === null ? 0 : Math.max(0, nowMs - call.started.at)),
  );
}

const failure = (code: string, message: string): Outcome => ({
  outcome: "error",
  errorCode: code,
  content: [{ type: "text", text: message }],
  data: {},
});

function lostOutcome(detail: string): Outcome {
  const text = `${detail} Whether this call took effect is not known: look before you repeat it.`;
  return { outcome: "lost", errorCode: "call_lost", content: [{ type: "text", text }], data: {} };
}

function outputDeltas(session: RunSession, callId: string) {
  const decoder = new TextDecoder();
  return (offset: number, bytes: Uint8Array) => {
    const text = decoder.decode(bytes, { stream: true });
    session.ports.emit({ type: "output.delta", callId, offset, text });
  };
}

/** The hash known for a path; tools may answer with an absolute path for a relative one, and the other way round. */
function hashOf(hashes: ReadonlyMap<string, string>, path: string): string | undefined {
  const plain = path.replace(/^(\.\/)+/, "");
  const exact = hashes.get(plain);
  if (exact !== undefined) return exact;
  for (const [known, hash] of hashes) {
    if (plain.startsWith("/") === known.startsWith("/")) continue;
    if (known.endsWith(`/${plain}`) || plain.endsWith(`/${known}`)) return hash;
  }
  return undefined;
}
