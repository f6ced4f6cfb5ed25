import type { Limits } from "@handrail/protocol/limits";
import type { NetworkRule } from "@handrail/protocol/sources";
import type { NetworkPreset } from "@handrail/protocol/network";
import { formatCount, formatDuration, formatMoney, plural } from "./format.ts";

/** What each named set of hosts is called. */
export const PRESET_NAMES: Readonly<Record<NetworkPreset, string>> = {
  registries: "package registries",
  npm: "npm",
  pypi: "PyPI",
  crates: "crates.io",
  go: "Go modules",
  maven: "Maven",
  rubygems: "RubyGems",
  debian: "Debian",
  repository: "the repository's git host",
  git: "git hosts",
  everything: "the whole internet",
};

/** What a sandbox may reach, in a few words. */
export function describeNetwork(rule: NetworkRule): string {
  if (rule.type === "none") return "no network";
  if (rule.presets.includes("everything")) return "the whole internet";
  const names = rule.presets.map((preset) => PRESET_NAMES[preset]);
  const count = rule.hosts.length + (rule.requests?.length ?? 0);
  const hosts = count === 0 ? [] : [plural(count, "host")];
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
