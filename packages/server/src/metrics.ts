import type { ConversationEvent } from "@handrail/protocol/events";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Numbers that are read when `/metrics` is asked for. */
export type Gauges = {
  readonly activeRuns: () => number;
  readonly waitingRuns: () => number;
  readonly sandboxes: () => number;
  readonly waitingSandboxes: () => number;
  readonly sockets: () => number;
};

/** What the server counts, in Prometheus' text format. */
export type Metrics = {
  readonly request: (route: string, method: string, status: number, durationMs: number) => void;
  event(event: ConversationEvent): void;
  watch(gauges: Gauges): void;
  readonly text: () => Promise<{ contentType: string; text: string }>;
};

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

export function metrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "handrail_http_request_seconds",
    help: "Time from request to answer.",
    labelNames: ["route", "method", "status"],
    buckets: SECONDS,
    registers,
  });
  const events = new Counter({
    name: "handrail_events_appended_total",
    help: "Events appended to logs.",
    labelNames: ["type"],
    registers,
  });
  const modelCounters = countModelUse(registers);
  const runs = new Counter({
    name: "handrail_runs_ended_total",
    help: "Runs that ended, by outcome.",
    labelNames: ["outcome"],
    registers,
  });
  return {
    request: (route, method, status, durationMs) =>
      requests.observe({ route, method, status: String(status) }, durationMs / 1000),
    event(event) {
      events.inc({ type: event.type });
      if (event.type === "run.ended") runs.inc({ outcome: event.outcome });
      if (event.type === "step.ended") modelCounters(event);
    },
    watch: (gauges) => watchGauges(registers, gauges),
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function watchGauges(registers: Registry[], gauges: Gauges): void {
  gauge(registers, "handrail_runs_active", "Runs under way in this process.", gauges.activeRuns);
  gauge(registers, "handrail_runs_waiting", "Runs that wait for a free place.", gauges.waitingRuns);
  gauge(registers, "handrail_sandboxes_connected", "Sandboxes that this process is connected to.", gauges.sandboxes);
  const waiting = "Sandboxes that are ready for conversations which do not exist yet.";
  gauge(registers, "handrail_sandboxes_waiting", waiting, gauges.waitingSandboxes);
  gauge(registers, "handrail_sockets_open", "WebSockets that are open.", gauges.sockets);
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  // prom-client calls `collect` with the gauge as `this`.
  const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
}

type StepEnded = Extract<ConversationEvent, { type: "step.ended" }>;

function countModelUse(registers: Registry[]): (step: StepEnded) => void {
  const labelNames = ["model"];
  const calls = new Counter({
    name: "handrail_model_calls_total",
    help: "Model calls, by model and how they finished.",
    labelNames: ["model", "finish"],
    registers,
  });
  const tokens = new Counter({
    name: "handrail_model_tokens_total",
    help: "Tokens, by model and direction.",
    labelNames: ["model", "direction"],
    registers,
  });
  const cost = new Counter({
    name: "handrail_model_cost_usd_total",
    help: "US dollars, where prices are known.",
    labelNames,
    registers,
  });
  const latency = new Histogram({
    name: "handrail_model_call_seconds",
    help: "Time of model calls.",
    labelNames,
    buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120],
    registers,
  });
  return ({ model, finish, usage, costUsd, latencyMs }) => {
    calls.inc({ model, finish });
    tokens.inc({ model, direction: "input" }, usage.inputTokens);
    tokens.inc({ model, direction: "output" }, usage.outputTokens);
    cost.inc({ model }, costUsd);
    latency.observe({ model }, latencyMs / 1000);
  };
}
