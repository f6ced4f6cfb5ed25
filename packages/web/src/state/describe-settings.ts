import type { Limits } from "@handrail/protocol/limits";
import type { NetworkRule } from "@handrail/protocol/sources";
import { formatCount, formatDuration, formatMoney, plural } from "./format.ts";

/** What a sandbox may reach, in a few words. */
export function describeNetwork(rule: NetworkRule): string {
  if (rule.type === "none") return "no network";
  const names = rule.presets.map((preset) => (preset === "git" ? "git hosts" : "package registries"));
  const hosts = rule.hosts.length === 0 ? [] : [plural(rule.hosts.length, "host")];
  return [...names, ...hosts].join(", ") || "no network";
}

/** Limits in a few words. */
export function describeLimits(limits: Limits): string {
  const parts = [
    limits.maxCostUsd === undefined ? [] : [formatMoney(limits.maxCostUsd)],
    limits.maxSteps === undefined ? [] : [plural(limits.maxSteps, "step")],
    limits.maxTokens === undefined ? [] : [`${formatCount(limits.maxTokens)} tokens`],
    limits.maxTimeMs === undefined ? [] : [formatDuration(limits.maxTimeMs)],
  ].flat();
  return parts.length === 0 ? "no limits" : `at most ${parts.join(", ")}`;
}
