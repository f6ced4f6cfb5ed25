import { NetworkPreset } from "@handrail/protocol/network";
import type { NetworkRule } from "@handrail/protocol/sources";
import { UsageError } from "./exit-codes.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_DURATION_MS = 30 * 86_400_000;

/** A time such as `90s`, `30m`, `2h` or `1d` in milliseconds. @throws UsageError */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text.trim());
  const ms = match === null ? 0 : Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? 0));
  if (ms > 0 && ms <= MAX_DURATION_MS) return ms;
  throw new UsageError("Give a time such as 90s, 30m or 2h, at most 30d.");
}

/** An amount of US dollars such as `0.50`. @throws UsageError */
export function parseMoney(text: string): number {
  const usd = /^\$?\d{1,7}(?:\.\d{1,6})?$/.test(text.trim()) ? Number(text.trim().replace("$", "")) : 0;
  if (usd > 0 && usd <= 1_000_000) return usd;
  throw new UsageError("Give an amount of US dollars such as 0.50, above 0.");
}

/** A parser of whole numbers from 1 to `max`. */
export function parseCount(max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : 0;
    if (count >= 1 && count <= max) return count;
    throw new UsageError(`Give a whole number from 1 to ${max.toLocaleString("en-US")}.`);
  };
}

/**
 * What a sandbox may reach: `none`, `default` (undefined: the server decides), or names between commas: hosts,
 * with a port or without, `.suffix`, and presets such as `registries` and `git`. @throws UsageError
 */
export function parseNetwork(text: string): NetworkRule | undefined {
  if (text === "default") return undefined;
  if (text === "none") return { type: "none" };
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  const hosts = words.filter((word) => !NetworkPreset.safeParse(word).success);
  const wrong = hosts.find((host) => !/^\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/.test(host));
  if (wrong !== undefined) {
    throw new UsageError(`"${wrong}" is not a host name. Give none, default, or host names between commas.`);
  }
  return { type: "allow", presets: NetworkPreset.options.filter((preset) => words.includes(preset)), hosts };
}
