import type { NetworkRule } from "@handrail/protocol/sources";
import { parseHost, parseTarget, type Target } from "./host.ts";
import { PRESET_HOSTS } from "./preset-hosts.ts";
import type { Refusal } from "./refusal.ts";

const WEB_PORTS: readonly number[] = [80, 443];

/** What the rule says of a target: undefined lets it through. `extraHosts` are allowed beside those of the rule. */
export function checkRule(rule: NetworkRule, extraHosts: readonly string[], target: Target): Refusal | undefined {
  if (rule.type === "none") {
    return {
      code: "network_off",
      message: "This sandbox has no network. Its user can allow hosts for a new conversation.",
    };
  }
  if (rule.presets.includes("everything")) return undefined;
  const presets = rule.presets.flatMap((preset) => (preset === "everything" ? [] : PRESET_HOSTS[preset]));
  const entries = [...rule.hosts, ...presets, ...extraHosts];
  const named = entries.flatMap((entry) => toEntry(entry) ?? []).filter((entry) => names(entry, target));
  const { name } = target.host;
  if (named.length === 0) {
    return {
      code: "host_not_allowed",
      message: `${name} is not among the hosts that this sandbox may reach. Ask the user to allow it.`,
    };
  }
  if (named.some((entry) => entry.ports.includes(target.port))) return undefined;
  return {
    code: "port_not_allowed",
    message: `Port ${target.port} of ${name} is not allowed. Ask the user to allow ${name}:${target.port}.`,
  };
}

type Entry = { readonly name: string; readonly suffix: boolean; readonly ports: readonly number[] };

/** An entry that names no host allows nothing. */
function toEntry(text: string): Entry | undefined {
  const suffix = text.startsWith(".");
  const bare = suffix ? text.slice(1) : text;
  const withPort = parseTarget(bare);
  const host = withPort?.host ?? parseHost(bare);
  if (host === undefined || (suffix && host.address)) return undefined;
  return { name: host.name, suffix, ports: withPort === undefined ? WEB_PORTS : [withPort.port] };
}

function names(entry: Entry, { host }: Target): boolean {
  if (!entry.suffix) return host.name === entry.name;
  return !host.address && host.name.endsWith(`.${entry.name}`);
}
