import type { ActiveRun, CallTrace } from "@handrail/protocol/conversation-state";
import type { EventOf } from "@handrail/protocol/events";

type Pattern = Pick<EventOf<"stuck.detected">, "pattern" | "detail">;

const REPEATS = 4;
const ALTERNATIONS = 6;
const ERRORS = 6;

/** The pattern in which the latest calls of a run go in circles, or undefined. */
export function stuckPattern(run: ActiveRun): Pattern | undefined {
  return repeated(run.traces) ?? alternating(run.traces) ?? failing(run.traces);
}

function repeated(traces: readonly CallTrace[]): Pattern | undefined {
  const last = traces.slice(-REPEATS);
  const [first] = last;
  if (last.length < REPEATS || first === undefined || !last.every((trace) => same(trace, first))) return undefined;
  return { pattern: "repeat", detail: `The same ${first.tool} call gave the same result ${REPEATS} times in a row.` };
}

function alternating(traces: readonly CallTrace[]): Pattern | undefined {
  const last = traces.slice(-ALTERNATIONS);
  const [first, second] = last;
  if (last.length < ALTERNATIONS || first === undefined || second === undefined || same(first, second))
    return undefined;
  if (!last.every((trace, index) => same(trace, index % 2 === 0 ? first : second))) return undefined;
  return {
    pattern: "alternate",
    detail: `Two calls (${first.tool}, ${second.tool}) have taken turns with the same results ${ALTERNATIONS / 2} times.`,
  };
}

function failing(traces: readonly CallTrace[]): Pattern | undefined {
  const last = traces.slice(-ERRORS);
  if (last.length < ERRORS || !last.every((trace) => trace.failed)) return undefined;
  return { pattern: "errors", detail: `The last ${ERRORS} calls have all failed.` };
}

const same = (left: CallTrace, right: CallTrace) => left.call === right.call && left.result === right.result;
