import type { Tracer } from "@opentelemetry/api";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TraceProtocol, TraceSampling, TraceSettings } from "./trace-settings.ts";

/** Spans on their way to a receiver. */
export type OtlpSpans = {
  readonly tracer: Tracer;
  /** Sends what is left, for at most that long. */
  close(graceMs: number): Promise<void>;
};

/** As many spans may wait; what comes while a receiver does not take them is dropped. */
const MAX_WAITING = 2048;
const MAX_VALUE_CHARACTERS = 1024;
/** Between two words about a receiver that does not take them. */
const TROUBLE_EVERY_MS = 60_000;

/** Sends spans in batches, beside the calls. `onTrouble` is told at most once a minute. */
export async function otlpSpans(
  { url, protocol, sampling }: TraceSettings,
  onTrouble: (thrown: unknown) => void,
): Promise<OtlpSpans> {
  const exporter = told(await exporterOf(protocol, url), seldom(onTrouble));
  const provider = new TracerProvider({
    resource: resource(),
    sampler: samplerOf(sampling),
    spanLimits: { attributeValueLengthLimit: MAX_VALUE_CHARACTERS },
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: MAX_WAITING })],
  });
  return {
    tracer: provider.getTracer("handrail-gateway"),
    close: (graceMs) => Promise.race([provider.shutdown().catch(() => undefined), after(graceMs)]),
  };
}

async function exporterOf(protocol: TraceProtocol, url: string): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter({ url });
}

function resource() {
  const detectors = [resourceAttributesEnvDetector, serviceNameEnvDetector];
  const own = resourceFromAttributes({ "service.name": "handrail-gateway" });
  return defaultResource().merge(own).merge(detectResources({ detectors }));
}

function samplerOf({ share, parent }: TraceSampling): Sampler {
  const root = new TraceIdRatioBasedSampler(share);
  return parent ? new ParentBasedSampler({ root }) : root;
}

/** The same, which also says why spans were not taken. */
function told(exporter: SpanExporter, onTrouble: (thrown: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error) onTrouble(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function seldom(tell: (thrown: unknown) => void): (thrown: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (thrown) => {
    const now = performance.now();
    if (now - last < TROUBLE_EVERY_MS) return;
    last = now;
    tell(thrown);
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
