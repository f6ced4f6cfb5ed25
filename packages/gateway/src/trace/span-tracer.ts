import { performance } from "node:perf_hooks";
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer as Spans,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Deployment } from "../ports/deployment.ts";
import type { CallTrace, TraceContext, TracedCall, Tracer, TryTrace } from "../ports/tracer.ts";
import { callAttributes, endAttributes, errorOf, operationOf, tryAttributes } from "./attributes.ts";

const WIRE = new W3CTraceContextPropagator();

/** A span for each call, with one below for each try, by OpenTelemetry's conventions for generative AI. */
export function spanTracer(spans: Spans): Tracer {
  return { call: (begun) => traced(spans, begun) };
}

function traced(spans: Spans, begun: TracedCall): CallTrace {
  const now = clockFrom(begun.at);
  const parent = WIRE.extract(ROOT_CONTEXT, begun.parent, defaultTextMapGetter);
  const span = spans.startSpan(
    `${operationOf(begun.format)} ${begun.model}`,
    { kind: SpanKind.SERVER, startTime: begun.at, attributes: callAttributes(begun) },
    parent,
  );
  const below: Below = { spans, context: trace.setSpan(parent, span), now, format: begun.format };
  return {
    tries: (deployment) => tried(below, deployment),
    ended(end) {
      span.setAttributes(endAttributes(end));
      finish(span, errorOf(end.settlement), now());
    },
    refused(status, code) {
      span.setAttributes({ "http.response.status_code": status, "error.type": code });
      finish(span, code, now());
    },
  };
}

type Below = {
  readonly spans: Spans;
  readonly context: Context;
  readonly now: () => number;
  readonly format: TracedCall["format"];
};

function tried({ spans, context, now, format }: Below, deployment: Deployment): TryTrace {
  const span = spans.startSpan(
    `${operationOf(format)} ${deployment.model}`,
    { kind: SpanKind.CLIENT, startTime: now(), attributes: tryAttributes(deployment, format) },
    context,
  );
  return {
    context: carried(trace.setSpan(context, span)),
    ended({ status, errorCode, model }) {
      span.setAttributes({
        "gen_ai.response.model": model,
        "http.response.status_code": status === 0 ? undefined : status,
        "error.type": errorCode,
      });
      finish(span, errorCode, now());
    },
  };
}

function carried(context: Context): TraceContext {
  const headers: Record<string, string> = {};
  WIRE.inject(context, headers, defaultTextMapSetter);
  return headers;
}

/** Only the error's code: its sentence may quote a provider. */
function finish(span: Span, error: string | undefined, at: number): void {
  if (!span.isRecording()) return;
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  span.end(at);
}

/** All spans of a call on one clock, which nobody sets meanwhile. */
function clockFrom(at: number): () => number {
  const began = performance.now();
  return () => at + (performance.now() - began);
}
