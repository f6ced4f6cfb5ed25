import { AppError } from "@handrail/protocol/errors";
import type { RequestRule } from "@handrail/protocol/network";
import { StoredRule } from "@handrail/protocol/network-routes";
import type { OpenAsk } from "@handrail/protocol/network-state";
import type { NetworkRule } from "@handrail/protocol/sources";

type Allowance = { readonly hosts: readonly string[]; readonly requests: readonly RequestRule[] };

/**
 * The smallest rule that allows what was asked for: the host and port, or the one request where others are known.
 * @throws AppError `bad_request` for what no rule can say
 */
export function allowance(ask: OpenAsk): Allowance {
  if (MASKED.test(`${ask.host}${ask.path ?? ""}`)) {
    throw new AppError("bad_request", "No rule can say this: its address holds a secret, which rules do not show.");
  }
  const wanted = smallest(ask);
  // A sandbox may ask for names, paths and methods that are longer or other than those of rules.
  if (!Allowed.safeParse(wanted).success) {
    throw new AppError("bad_request", "No rule can say this: its name, path or method is too long or unusual.");
  }
  return wanted;
}

/** What stands in asks in place of a secret's value. */
const MASKED = /\[secret [A-Za-z][\w-]*\]/;

const Allowed = StoredRule.pick({ hosts: true, requests: true });

function smallest(ask: OpenAsk): Allowance {
  const bare = ask.host.includes(":") ? `[${ask.host}]` : ask.host;
  if (ask.reason !== "request_not_allowed" || ask.path === undefined) {
    return { hosts: [WEB_PORTS.includes(ask.port) ? bare : `${bare}:${ask.port}`], requests: [] };
  }
  // A literal star is escaped in paths as they are compared, so it cannot widen the rule.
  const path = ask.path.replaceAll("*", "%2A");
  return { hosts: [], requests: [{ host: bare, port: ask.port, methods: [ask.method], path }] };
}

/** The rule with what was asked for. @throws AppError `bad_request` when there is no network, the rule is full, or no rule can say it */
export function networkWith(network: NetworkRule, ask: OpenAsk): NetworkRule {
  if (network.type === "none") {
    throw new AppError("bad_request", "This conversation has no network. Change its network rule first.");
  }
  const { hosts, requests } = allowance(ask);
  const next = {
    ...network,
    hosts: [...new Set([...network.hosts, ...hosts])],
    ...(requests.length === 0 ? {} : { requests: [...(network.requests ?? []), ...requests] }),
  };
  if (next.hosts.length > MAX || (next.requests?.length ?? 0) > MAX) {
    throw new AppError("bad_request", "The conversation's network rule is full. Remove something from it first.");
  }
  return next;
}

const WEB_PORTS: readonly number[] = [80, 443];
const MAX = 256;
