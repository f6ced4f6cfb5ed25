import { Counter, Gauge, type Registry } from "prom-client";
import type { LimitState } from "../ports/limits.ts";
import type { Deployment } from "../ports/deployment.ts";

/** Where a key, a user or a team stands with its limits. */
export type Standing = {
  readonly kind: "key" | "user" | "team";
  /** A key's hash, or the owner's id. */
  readonly id: string;
  readonly name: string;
  readonly limits: readonly LimitState[];
};

/** What is read when the metrics are asked for. */
export type GaugeSources = {
  readonly deployments: () => readonly { readonly deployment: Deployment; readonly state: DeploymentState }[];
  /** Of those with limits. Never rejects; those of conversations' own keys are left out. */
  readonly standings: () => Promise<readonly Standing[]>;
  /** Calls that are not answered yet. */
  readonly inFlight: () => number;
  /** Settlements that wait to be written; undefined where the books do not say. */
  readonly backlog?: () => number;
  /** Where limits are counted in Redis: undefined `trouble` when it answers, and what happened to admissions how often. */
  readonly limits?: {
    readonly trouble: () => string | undefined;
    readonly events: () => Readonly<Record<string, number>>;
  };
};

export type DeploymentState = "ok" | "failing" | "resting";

const STATES: Readonly<Record<DeploymentState, number>> = { ok: 0, failing: 1, resting: 2 };
const MAX_STANDINGS = 1000;
const HOUR_MS = 3_600_000;

/** Registers the gauges. */
export function gauges(registry: Registry, sources: GaugeSources): void {
  const registers = [registry];
  const single = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  single("litellm_in_flight_requests", "Calls under way.", sources.inFlight);
  const { backlog, limits } = sources;
  if (backlog) single("handrail_gateway_settlement_backlog", "Settlements that wait to be written.", backlog);
  if (limits) {
    single("handrail_gateway_limits_redis_up", "Whether Redis counts limits.", () => Number(!limits.trouble()));
    limitCounter(registers, limits.events);
  }
  deploymentGauges(registers, sources.deployments);
  standingGauges(registers, sources.standings);
}

function limitCounter(registers: Registry[], read: () => Readonly<Record<string, number>>): void {
  void new Counter({
    name: "handrail_gateway_limits_total",
    help: "Admissions with limits in Redis: refused by it alone, checked by the books, judged differently by both, judged by the books alone.",
    labelNames: ["event"],
    registers,
    collect() {
      this.reset();
      for (const [event, count] of Object.entries(read())) this.inc({ event }, count);
    },
  });
}

const PLACE_LABELS = ["litellm_model_name", "model_id", "api_base", "api_provider"] as const;

function deploymentGauges(registers: Registry[], read: GaugeSources["deployments"]): void {
  const place = ({ id, model, baseUrl, provider }: Deployment) => ({
    litellm_model_name: model,
    model_id: id,
    api_base: baseUrl ?? "",
    api_provider: provider,
  });
  void new Gauge({
    name: "litellm_deployment_state",
    help: "0: healthy, 1: failing, 2: resting.",
    labelNames: PLACE_LABELS,
    registers,
    collect() {
      this.reset();
      for (const { deployment, state } of read()) this.set(place(deployment), STATES[state]);
    },
  });
  for (const [name, field] of [
    ["rpm", "requestsPerMinute"],
    ["tpm", "tokensPerMinute"],
  ] as const) {
    void new Gauge({
      name: `litellm_deployment_${name}_limit`,
      help: `The deployment's ${name} as configured.`,
      labelNames: ["model_group", ...PLACE_LABELS],
      registers,
      collect() {
        this.reset();
        for (const { deployment } of read()) {
          const limit = deployment[field];
          if (limit !== undefined) this.set({ model_group: deployment.name, ...place(deployment) }, limit);
        }
      },
    });
  }
}

type Value = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

const LABELS = { key: ["hashed_api_key", "api_key_alias"], team: ["team", "team_alias"], user: ["user"] } as const;
const NAMES = { key: "api_key", team: "team", user: "user" } as const;

function standingGauges(registers: Registry[], read: GaugeSources["standings"]): void {
  // One reading serves all gauges of one scrape.
  let last: { readonly at: number; readonly reading: Promise<readonly Standing[]> } | undefined;
  const standings = () => {
    if (last === undefined || Date.now() - last.at > 1000) last = { at: Date.now(), reading: read() };
    return last.reading;
  };
  for (const kind of ["key", "team", "user"] as const) {
    const gauge = (name: string, more: readonly string[], values: (standing: Standing) => readonly Value[]) =>
      new Gauge({
        name,
        help: `Of a ${kind}'s limits.`,
        labelNames: [...LABELS[kind], ...more],
        registers,
        async collect() {
          const found = (await standings()).filter((standing) => standing.kind === kind).slice(0, MAX_STANDINGS);
          this.reset();
          for (const standing of found) {
            for (const { labels, value } of values(standing)) this.set({ ...who(standing), ...labels }, value);
          }
        },
      });
    const name = NAMES[kind];
    gauge(
      `litellm_remaining_${name}_budget_metric`,
      [],
      budget(({ remaining }) => remaining),
    );
    gauge(
      `litellm_${name}_max_budget_metric`,
      [],
      budget(({ limit }) => limit),
    );
    gauge(
      `litellm_${name}_budget_remaining_hours_metric`,
      [],
      budget(({ resetAt }) => hoursUntil(resetAt)),
    );
    if (kind === "user") continue;
    gauge(
      `litellm_${name}_rate_limit_allowed_metric`,
      ["rate_limit_type"],
      rates(({ limit }) => limit),
    );
    gauge(
      `litellm_${name}_rate_limit_used_metric`,
      ["rate_limit_type"],
      rates(({ limit, remaining }) => limit - remaining),
    );
  }
}

function who({ kind, id, name }: Standing): Record<string, string> {
  if (kind === "user") return { user: id };
  return kind === "key" ? { hashed_api_key: id, api_key_alias: name } : { team: id, team_alias: name };
}

const hoursUntil = (at: number | undefined) => (at === undefined ? undefined : Math.max(0, at - Date.now()) / HOUR_MS);

function budget(read: (state: LimitState) => number | undefined): (standing: Standing) => readonly Value[] {
  return ({ limits }) =>
    limits.flatMap((state) => {
      const value = state.kind === "budget" ? read(state) : undefined;
      return value === undefined ? [] : [{ labels: {}, value }];
    });
}

function rates(read: (state: LimitState) => number): (standing: Standing) => readonly Value[] {
  return ({ limits }) =>
    limits.flatMap((state) =>
      state.kind === "requests" || state.kind === "tokens"
        ? [{ labels: { rate_limit_type: state.kind }, value: read(state) }]
        : [],
    );
}
