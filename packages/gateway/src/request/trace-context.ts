import type { IncomingHttpHeaders } from "node:http";
import type { TraceContext } from "../ports/tracer.ts";

const PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const MAX_PARENT = 128;
const MAX_STATE = 512;

/** The trace that a request is a part of; empty where it does not say so as W3C has it. */
export function traceContext({ traceparent, tracestate }: IncomingHttpHeaders): TraceContext {
  if (typeof traceparent !== "string" || traceparent.length > MAX_PARENT || !PARENT.test(traceparent)) return {};
  const state = Array.isArray(tracestate) ? tracestate.join(",") : tracestate;
  return { traceparent, ...(state !== undefined && state.length <= MAX_STATE && { tracestate: state }) };
}
