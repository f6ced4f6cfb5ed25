import type { Logger } from "pino";
import type { Tracer } from "../ports/tracer.ts";
import type { TraceSettings } from "./trace-settings.ts";

/** For the gateway whose calls are traced. */
export type Traces = {
  readonly parts: { readonly tracer?: Tracer };
  /** After the gateway: what was not sent yet is sent, for at most that long. */
  close(graceMs: number): Promise<void>;
};

/** Nothing is loaded where nothing is to be traced. */
export async function openTraces(
  settings: TraceSettings | undefined,
  { log }: { readonly log: Pick<Logger, "warn"> },
): Promise<Traces> {
  if (settings === undefined) return { parts: {}, close: () => Promise.resolve() };
  const { otlpSpans } = await import("./otlp-spans.ts");
  const { spanTracer } = await import("./span-tracer.ts");
  const onTrouble = (thrown: unknown) => log.warn({ err: thrown }, "spans of calls cannot be sent");
  const spans = await otlpSpans(settings, onTrouble);
  return { parts: { tracer: spanTracer(spans.tracer) }, close: (graceMs) => spans.close(graceMs) };
}
