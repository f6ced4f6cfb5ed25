import { check, rulesOf, type Allowed, type Rules } from "@handrail/broker/allow-list";
import { ONCE, type Question } from "@handrail/broker/authorise";
import type { BegunRequest, BrokerRecord } from "@handrail/broker/broker-record";
import { type Broker, createBroker } from "@handrail/broker/create-broker";
import type { Refusal } from "@handrail/broker/refusal";
import type { SandboxAuthority } from "@handrail/broker/tls/sandbox-authority";
import type { TrafficLimits } from "@handrail/broker/traffic";
import type { Journal } from "@handrail/core/journal";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import type { NetworkRule } from "@handrail/protocol/sources";
import { holderNow, type TeamsOf } from "../auth/teams.ts";
import type { RefusedRequests } from "../conversations/refused-requests.ts";
import type { AskOutcome, Asks } from "../network/asks.ts";
import type { NetworkLog } from "../network/network-log.ts";
import type { BegunNetworkRequest } from "../network/network-spool.ts";
import { gitHostOf, repositoryKey } from "../network/repository-key.ts";
import type { ConversationSecrets } from "../secrets/conversation-secrets.ts";
import type { StoredRules } from "../network/stored-rules.ts";

export type EgressParts = {
  readonly journal: (conversationId: string) => Promise<Journal>;
  readonly storedRules: StoredRules;
  readonly teamsOf: TeamsOf;
  readonly asks: Asks;
  readonly log: NetworkLog;
  readonly refused: RefusedRequests;
  /** What HTTPS is opened with, and what the log must not hold. */
  readonly secrets: Pick<ConversationSecrets<SandboxAuthority>, "openWith" | "maskerFor" | "used" | "text" | "host">;
  readonly limits: TrafficLimits;
  /** Hosts that may be in private networks. */
  readonly privateHosts: readonly string[];
  readonly onFailure: (thrown: unknown) => void;
};

/** The broker of this server: rules as they are at each request, asks, and everything written to the logs. */
export function networkEgress(parts: EgressParts): Broker {
  const rules = currentRules(parts);
  const { log, refused, limits, privateHosts, secrets, onFailure } = parts;
  const maskFor = ({ conversationId: id }: Pick<BrokerRecord, "conversationId">): Mask => ({
    text: (text) => secrets.text(id, text),
    host: (host) => secrets.host(id, host),
  });
  const note = (record: BrokerRecord, write: (request: NetworkRequest) => void) => {
    const mask = maskFor(record);
    write(requestOf(record, mask));
    const { conversationId: id, host, reason } = record;
    secrets.used(id, record.secrets ?? []).catch(onFailure);
    if (reason !== undefined) refused.note({ conversationId: id, host: mask.host(host), reason }).catch(onFailure);
  };
  return createBroker({
    limits,
    privateHosts,
    openWith: secrets.openWith,
    async lookUp(id) {
      const journal = await parts.journal(id);
      // From here on `text` knows what to mask.
      await secrets.maskerFor(id);
      const { bytesUp, bytesDown } = journal.state.network;
      return { rules: rules(journal), bytesUsed: bytesUp + bytesDown };
    },
    askUser: (question, gone) => askUser(parts, rules, question, gone),
    onLimit: (id, limit) => log.limited(id, limit, limits[limit]),
    onBegin(request, bytes) {
      const begun = log.begin(request.conversationId, begunOf(request, maskFor(request)), bytes);
      return begun === undefined ? UNRECORDED : { end: (record) => note(record, begun.end), drop: begun.drop };
    },
    onRequest: (record) => note(record, (request) => log.add(record.conversationId, request)),
  });
}

const UNRECORDED: Refusal = {
  code: "unrecorded",
  message: "Handrail cannot write down what goes out, so nothing does. Its disk may be full.",
};

type CurrentRules = (journal: Journal) => Rules;

/** A conversation's rules, made anew only when its own rule or the stored ones have changed, or its team holds no longer. */
function currentRules({ storedRules: stored, teamsOf }: Pick<EgressParts, "storedRules" | "teamsOf">): CurrentRules {
  type Made = {
    readonly network: NetworkRule;
    readonly teamId: string | null;
    readonly version: number;
    readonly rules: Rules;
  };
  const made = new WeakMap<Journal, Made>();
  return (journal) => {
    const { state } = journal;
    const { network } = state.sandbox;
    const holder = holderNow(state, teamsOf);
    const { teamId } = holder;
    const { version } = stored;
    const known = made.get(journal);
    if (known?.network === network && known.version === version && known.teamId === teamId) return known.rules;
    const more = stored.for(holder, repositoryKey(state.source)).map(({ presets, hosts, requests, scope }) => ({
      rule: { type: "allow" as const, presets, hosts, requests },
      of: scope,
    }));
    const rules = rulesOf(network, more, gitHostOf(state.source));
    made.set(journal, { network, teamId, version, rules });
    return rules;
  };
}

async function askUser(
  { asks, journal, secrets }: EgressParts,
  rules: CurrentRules,
  { conversationId, asked, refusal }: Question,
  gone: AbortSignal,
): Promise<Allowed | Refusal> {
  const { host, port, method = "CONNECT", path } = asked;
  const request = {
    host: secrets.host(conversationId, host.name),
    port,
    method,
    ...(path === undefined ? {} : { path: secrets.text(conversationId, path) }),
    reason: refusal.code,
  };
  const outcome = await asks.ask(conversationId, request, gone);
  if (outcome === "once") return ONCE;
  if (outcome === "changed") return check(rules(await journal(conversationId)), asked);
  if (outcome === "denied") return { code: "denied", message: `The user was asked and did not allow ${host.name}.` };
  return { ...refusal, message: `${refusal.message} ${ASKED[outcome]}` };
}

const ASKED: { readonly [Outcome in AskOutcome]?: string } = {
  waiting: "The user has been asked and has not answered yet: go on without it, you will be told if it is allowed.",
  unasked: "Too many such questions wait for the user already.",
};

/** What the log must not hold is taken out. */
type Mask = { readonly text: (text: string) => string; readonly host: (host: string) => string };

function requestOf(
  { allowed, reason, bytesUp, bytesDown, durationMs, ...of }: BrokerRecord,
  mask: Mask,
): NetworkRequest {
  const outcome = { allowed, ...(reason === undefined ? {} : { reason }) };
  return { ...placeOf(of, mask), bytesUp, bytesDown, durationMs, ...outcome };
}

const begunOf = ({ rule, ...of }: BegunRequest, mask: Mask): BegunNetworkRequest => ({ ...placeOf(of, mask), rule });

type Place = Omit<BegunRequest, "rule"> & { readonly rule?: string | undefined };

function placeOf({ at, method, host, port, path, rule, secrets = [] }: Place, mask: Mask) {
  return {
    at,
    method,
    host: mask.host(host).slice(0, 253),
    port,
    ...(path === undefined ? {} : { path: mask.text(path).slice(0, 1024) }),
    ...(rule === undefined ? {} : { rule }),
    ...(secrets.length === 0 ? {} : { secrets: [...secrets] }),
  };
}
