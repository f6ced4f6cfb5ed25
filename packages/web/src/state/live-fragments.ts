import type { Delta } from "@handrail/protocol/deltas";
import type { StoredEvent } from "@handrail/protocol/events";
import type { ListeningPort } from "@handrail/protocol/sandboxd/operations";

/** Streamed text so far. `end` is where the next fragment must begin; `cut`: the beginning was not received. */
export type Stream = { readonly text: string; readonly end: number; readonly cut: boolean };

export type LiveCall = { readonly callId: string; readonly tool: string; readonly arguments: Stream };

/** What is streamed and not yet in the log: the open step's text, reasoning and calls, and output of running calls. */
export type LiveFragments = {
  readonly stepId: string | null;
  readonly text: Stream;
  readonly reasoning: Stream;
  readonly calls: readonly LiveCall[];
  readonly outputs: ReadonlyMap<string, Stream>;
  /** What is waited for; empty for nothing. */
  readonly progress: string;
  /** Ports that programs in the sandbox listen on, when they were told since the page is connected. They outlive runs. */
  readonly ports: readonly ListeningPort[] | null;
};

const NOTHING: Stream = { text: "", end: 0, cut: false };

export const NO_FRAGMENTS: LiveFragments = {
  stepId: null,
  text: NOTHING,
  reasoning: NOTHING,
  calls: [],
  outputs: new Map(),
  progress: "",
  ports: null,
};

/** Live output of a call is kept to its last part: the whole of it comes with the call's end. */
const KEPT_OUTPUT = 64_000;

/** The fragments after one more delta. Pure. Repeats are dropped; after a gap what follows it is shown, as cut. */
export function applyDelta(live: LiveFragments, delta: Delta): LiveFragments {
  switch (delta.type) {
    case "progress.delta":
      return { ...live, progress: delta.text };
    case "ports.delta":
      return { ...live, ports: delta.ports };
    case "output.delta": {
      const stream = append(live.outputs.get(delta.callId) ?? NOTHING, delta.offset, delta.text, utf8Length);
      return { ...live, outputs: new Map(live.outputs).set(delta.callId, keepEnd(stream)) };
    }
    case "step.reset":
      return { ...live, ...stepOf(delta.stepId) };
    case "text.delta": {
      const step = inStep(live, delta.stepId);
      return { ...step, text: append(step.text, delta.offset, delta.text) };
    }
    case "reasoning.delta": {
      const step = inStep(live, delta.stepId);
      return { ...step, reasoning: append(step.reasoning, delta.offset, delta.text) };
    }
    case "arguments.delta":
      return appendArguments(inStep(live, delta.stepId), delta);
  }
}

/** The fragments after events: what an event holds whole is no longer a fragment. Pure. */
export function settleFragments(live: LiveFragments, events: readonly StoredEvent[]): LiveFragments {
  return events.reduce((current, { event }) => {
    if (event.type === "step.started" || event.type === "step.ended")
      return { ...current, ...stepOf(null), progress: "" };
    if (event.type === "run.ended" || event.type === "run.resumed") {
      return { ...NO_FRAGMENTS, ports: current.ports };
    }
    if (event.type !== "call.ended" || !current.outputs.has(event.callId)) return current;
    const outputs = new Map(current.outputs);
    outputs.delete(event.callId);
    return { ...current, outputs };
  }, live);
}

const stepOf = (stepId: string | null) => ({ stepId, text: NOTHING, reasoning: NOTHING, calls: [] });

const inStep = (live: LiveFragments, stepId: string): LiveFragments =>
  live.stepId === stepId ? live : { ...live, ...stepOf(stepId) };

function appendArguments(live: LiveFragments, delta: Extract<Delta, { type: "arguments.delta" }>): LiveFragments {
  const { callId, tool } = delta;
  const known = live.calls.find((call) => call.callId === callId);
  const stream = append(known?.arguments ?? NOTHING, delta.offset, delta.text);
  const call: LiveCall = { callId, tool, arguments: stream };
  if (known === undefined) return { ...live, calls: [...live.calls, call] };
  return { ...live, calls: live.calls.map((other) => (other === known ? call : other)) };
}

function append(stream: Stream, offset: number, text: string, lengthOf = unitLength): Stream {
  const end = offset + lengthOf(text);
  if (end <= stream.end) return stream;
  if (offset > stream.end) return { text, end, cut: true };
  const fresh = offset === stream.end ? text : lengthOf === unitLength ? text.slice(stream.end - offset) : text;
  return { text: stream.text + fresh, end, cut: stream.cut };
}

const unitLength = (text: string) => text.length;
const encoder = new TextEncoder();
const utf8Length = (text: string) => encoder.encode(text).length;

const keepEnd = (stream: Stream): Stream =>
  stream.text.length > 2 * KEPT_OUTPUT ? { ...stream, text: stream.text.slice(-KEPT_OUTPUT), cut: true } : stream;
