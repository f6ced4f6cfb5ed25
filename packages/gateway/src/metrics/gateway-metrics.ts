import type { LedgerEntry } from "../ports/ledger.ts";
import type { Deployment } from "../ports/deployment.ts";
import { answerTokens, promptTokens } from "../ports/token-usage.ts";
import { type CallLabels, callLines, type Sums } from "./call-lines.ts";
import { exposition } from "./exposition.ts";
import { FAMILIES } from "./families.ts";
import type { GaugeSources } from "./gauges.ts";
import { observe } from "./histogram.ts";
import { type EventCounters, eventCounters } from "./event-counters.ts";

/** A call that ended, with the names that the ledger does not keep. */
export type CallReport = {
  readonly entry: LedgerEntry;
  /** Where it was asked for, such as `/v1/messages`. */
  readonly route: string;
  /** The catalog's name for the model; undefined when it has none. Of a wildcard: the wildcard. */
  readonly group?: string;
  /** Undefined for the keys of conversations, which are too many to tell apart. */
  readonly key?: { readonly hash: string; readonly name: string };
  readonly teamName?: string;
  /** The deployment's address. */
  readonly apiBase?: string;
  /** Whether a cache was asked. */
  readonly cacheAsked: boolean;
  /** Whether it was turned away: then it took no time worth knowing. */
  readonly refused?: boolean;
  /** Milliseconds from the last request to the provider until its answer ended; undefined when none was made. */
  readonly upstreamMs?: number;
};

/** What the gateway counts, in Prometheus' text format. */
export type GatewayMetrics = EventCounters & {
  ended(report: CallReport): void;
  /** One try at a deployment; `group` is the catalog's name for it. */
  tried(deployment: Deployment, how: Trial): void;
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
};

/** How a try went. */
export type Trial = {
  readonly ok: boolean;
  readonly status: number;
  readonly errorCode: string;
  readonly group: string;
};

export type GatewayMetricsOptions = {
  readonly sources: GaugeSources;
  /** Lines of labels that are kept apart; 2000 when undefined. */
  readonly maxLines?: number;
  /** False in a server that counts the process itself. */
  readonly process?: boolean;
};

const MAX_LINES = 2000;

/** LiteLLM's metrics by its names, and Handrail's own. */
export function gatewayMetrics(options: GatewayMetricsOptions): GatewayMetrics {
  const { counts, ...events } = eventCounters();
  const load = async () => {
    const { registryOf } = await import("./registry.ts");
    return registryOf({ counts, sources: options.sources, process: options.process === true });
  };
  let loading: ReturnType<typeof load> | undefined;
  const lines = callLines(options.maxLines ?? MAX_LINES);
  return {
    ...events,
    ended(report) {
      const line = lines.lineOf(labelsOf(report));
      count(line.sums, report);
      const { entry, upstreamMs, refused } = report;
      if (refused === true) return;
      observe(line.total, entry.latencyMs / 1000);
      if (upstreamMs !== undefined) {
        observe(line.upstream, upstreamMs / 1000);
        observe(line.overhead, (entry.latencyMs - upstreamMs) / 1000);
      }
      if (entry.streamed && entry.firstByteMs !== undefined) observe(line.firstByte, entry.firstByteMs / 1000);
    },
    tried(deployment, trial) {
      const { sums } = lines.lineOf(placeLine(deployment, trial));
      if (trial.ok) sums.succeededThere += 1;
      else sums.failedThere += 1;
    },
    async text() {
      loading ??= load();
      const registry = await loading;
      const text = exposition(FAMILIES, lines.all()) + (await registry.metrics());
      return { contentType: registry.contentType, text };
    },
  };
}

/** Tries are told apart by place alone: which key's they were is told by how its calls ended. */
function placeLine({ id, model, provider, baseUrl }: Deployment, { ok, status, errorCode, group }: Trial): CallLabels {
  return {
    hashedApiKey: "",
    apiKeyAlias: "",
    team: "",
    teamAlias: "",
    user: "",
    modelGroup: group,
    model: group.endsWith("*") ? group : model,
    modelId: id,
    apiProvider: provider,
    apiBase: baseUrl ?? "",
    route: "",
    statusCode: ok ? "" : String(status),
    exceptionClass: ok ? "" : errorCode,
  };
}

const CONVERSATION = { hash: "conversation", name: "conversation" };

function labelsOf({
  entry,
  route,
  group = "other",
  key = CONVERSATION,
  teamName = "",
  apiBase = "",
}: CallReport): CallLabels {
  const owner = entry.ownerKind === "team" ? { team: entry.ownerId, user: "" } : { team: "", user: entry.ownerId };
  return {
    hashedApiKey: key.hash,
    apiKeyAlias: key.name,
    team: entry.teamId ?? owner.team,
    teamAlias: teamName,
    user: owner.user,
    modelGroup: group,
    ...placeLabels(entry, group),
    apiBase,
    route,
    statusCode: String(entry.status),
    exceptionClass: entry.errorCode ?? "",
  };
}

function placeLabels({ upstreamModel, deploymentId, provider }: LedgerEntry, group: string) {
  return {
    // Of a wildcard the provider's name is the client's word: not one line for each.
    model: group.endsWith("*") ? group : (upstreamModel ?? ""),
    modelId: deploymentId ?? "",
    apiProvider: provider ?? "",
  };
}

function count(sums: Sums, { entry, cacheAsked }: CallReport): void {
  const { usage } = entry;
  const cached = entry.outcome === "cached";
  const failed = entry.outcome === "failed" || entry.outcome === "broken" || entry.outcome === "lost";
  add(sums, {
    calls: 1,
    failed: Number(failed),
    succeededThere: 0,
    failedThere: 0,
    costUsd: entry.costUsd,
    savedUsd: entry.savedUsd,
    promptTokens: promptTokens(usage),
    answerTokens: answerTokens(usage),
    cacheReadTokens: usage.cacheReadTokens,
    cacheWriteTokens: usage.cacheWriteTokens + usage.cacheWriteHourTokens,
    audioInTokens: usage.inputAudioTokens,
    audioOutTokens: usage.outputAudioTokens,
    reasoningTokens: usage.reasoningTokens,
    cacheHits: Number(cached),
    cacheMisses: Number(cacheAsked && !cached),
    cachedTokens: cached ? promptTokens(usage) + answerTokens(usage) : 0,
    unpriced: Number(!entry.priced),
    estimated: Number(entry.estimated),
    retries: entry.retries,
  });
}

function add(sums: Sums, more: Sums): void {
  for (const name of Object.keys(more) as (keyof Sums)[]) sums[name] += more[name];
}
