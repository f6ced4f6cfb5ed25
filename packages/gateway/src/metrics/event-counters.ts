import { Counter, type Registry } from "prom-client";
import type { Deployment } from "../ports/deployment.ts";
import type { LaneAnswer } from "../ports/lane.ts";

/** Things that happen within calls. */
export type EventCounters = {
  /** A deployment failed too often and rests. */
  rested(deployment: Deployment): void;
  /** A call went on to another name. Both are the catalog's. */
  fellBack(from: string, to: string, worked: boolean): void;
  answered(lane: LaneAnswer["lane"]): void;
  /** Secrets were taken out of a request that many times. */
  redacted(count: number): void;
};

const FALLBACK_LABELS = [
  "requested_model",
  "fallback_model",
  "hashed_api_key",
  "api_key_alias",
  "team",
  "team_alias",
  "exception_status",
  "exception_class",
  "model_id",
] as const;
const NOBODY = {
  hashed_api_key: "",
  api_key_alias: "",
  team: "",
  team_alias: "",
  exception_status: "",
  exception_class: "",
  model_id: "",
};

/** Registers the counters. Their labels are names of the catalog, so there are as many as it has. */
export function eventCounters(registry: Registry): EventCounters {
  const registers = [registry];
  const rested = new Counter({
    name: "litellm_deployment_cooled_down_total",
    help: "How often a deployment was put to rest.",
    labelNames: ["litellm_model_name", "model_id", "api_base", "api_provider", "exception_status"],
    registers,
  });
  const [worked, failed] = (["successful", "failed"] as const).map(
    (how) =>
      new Counter({
        name: `litellm_deployment_${how}_fallbacks_total`,
        help: `Fallbacks, ${how}.`,
        labelNames: FALLBACK_LABELS,
        registers,
      }),
  );
  const lanes = new Counter({
    name: "handrail_gateway_answers_total",
    help: "Answers by the way they went.",
    labelNames: ["lane"],
    registers,
  });
  const redacted = new Counter({
    name: "handrail_gateway_redacted_total",
    help: "Secrets taken out of requests.",
    registers,
  });
  return {
    redacted: (count) => redacted.inc(count),
    rested: ({ id, model, baseUrl, provider }) =>
      rested.inc({
        litellm_model_name: model,
        model_id: id,
        api_base: baseUrl ?? "",
        api_provider: provider,
        exception_status: "",
      }),
    fellBack: (from, to, ok) => (ok ? worked : failed)?.inc({ ...NOBODY, requested_model: from, fallback_model: to }),
    answered: (lane) => lanes.inc({ lane }),
  };
}
