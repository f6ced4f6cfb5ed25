import type { Deployment } from "../ports/deployment.ts";
import type { LaneAnswer } from "../ports/lane.ts";

/** Things that happen within calls. */
export type EventCounters = {
  /** A deployment failed too often and rests. */
  rested(deployment: Deployment): void;
  /** A call went on to another name. Both are the catalog's. */
  fellBack(from: string, to: string, worked: boolean): void;
  answered(lane: LaneAnswer["lane"]): void;
  /** A request came with a key that nobody has. */
  wrongKey(): void;
  /** Secrets were taken out of a request that many times. */
  redacted(count: number): void;
};

type Labels = Readonly<Record<string, string>>;

/** What was counted of one name, for the registry that shows it. */
export type EventCounts = {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly lines: () => Iterable<{ readonly labels: Labels; readonly count: number }>;
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

/** Counts in plain numbers: what shows them is large, and not there before it is asked. Labels are names of the catalog, so there are as many as it has. */
export function eventCounters(): EventCounters & { readonly counts: readonly EventCounts[] } {
  const rested = counter({
    name: "litellm_deployment_cooled_down_total",
    help: "How often a deployment was put to rest.",
    labelNames: ["litellm_model_name", "model_id", "api_base", "api_provider", "exception_status"],
  });
  const fallbacks = (how: "successful" | "failed") =>
    counter({
      name: `litellm_deployment_${how}_fallbacks_total`,
      help: `Fallbacks, ${how}.`,
      labelNames: FALLBACK_LABELS,
    });
  const [worked, failed] = [fallbacks("successful"), fallbacks("failed")];
  const lanes = counter({
    name: "handrail_gateway_answers_total",
    help: "Answers by the way they went.",
    labelNames: ["lane"],
  });
  const redacted = counter({
    name: "handrail_gateway_redacted_total",
    help: "Secrets taken out of requests.",
    labelNames: [],
  });
  const wrongKeys = counter({
    name: "handrail_gateway_wrong_keys_total",
    help: "Requests with a key that nobody has.",
    labelNames: [],
  });
  return {
    counts: [rested, worked, failed, lanes, redacted, wrongKeys],
    wrongKey: () => wrongKeys.add({}),
    redacted: (count) => redacted.add({}, count),
    rested: ({ id, model, baseUrl, provider }) =>
      rested.add({
        litellm_model_name: model,
        model_id: id,
        api_base: baseUrl ?? "",
        api_provider: provider,
        exception_status: "",
      }),
    fellBack: (from, to, ok) => (ok ? worked : failed).add({ ...NOBODY, requested_model: from, fallback_model: to }),
    answered: (lane) => lanes.add({ lane }),
  };
}

function counter(about: Omit<EventCounts, "lines">) {
  const lines = new Map<string, { readonly labels: Labels; count: number }>();
  return {
    ...about,
    lines: () => lines.values(),
    add(labels: Labels, count = 1) {
      const key = Object.values(labels).join("\n");
      const known = lines.get(key);
      if (known) known.count += count;
      else lines.set(key, { labels, count });
    },
  };
}
