import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import type { IdPrefix } from "@handrail/protocol/ids";
import type { RuleScope } from "@handrail/protocol/network-events";
import type { OpenAsk } from "@handrail/protocol/network-state";
import { ASK_LIFE_MS } from "@handrail/protocol/summary";
import { requireTeam } from "../auth/policy.ts";
import { allowance, networkWith } from "./allowance.ts";
import { repositoryKey } from "./repository-key.ts";
import type { StoredRules } from "./stored-rules.ts";

/** A request that no rule allows. */
export type RefusedRequest = Omit<EventOf<"network.asked">, "type" | "askId">;

/**
 * What came of asking. `once`: it may go; `changed`: the rules may allow it now; `denied`: the user said no; `waiting`:
 * nobody has answered in time, and the ask stays open; `unasked`: too many are open.
 */
export type AskOutcome = "once" | "changed" | "denied" | "waiting" | "unasked";

export type UserAnswer = {
  readonly answer: "once" | "here" | "always" | "deny";
  readonly scope?: RuleScope | undefined;
  /** Those of the user who answers. */
  readonly teams: readonly string[];
};

/** Questions to users whether a sandbox may reach something. The log holds them; here are the requests that wait. */
export type Asks = {
  /** Asks, or joins the open ask for the same; holds the request while a person looks, up to the limit. */
  ask(conversationId: string, request: RefusedRequest, gone: AbortSignal): Promise<AskOutcome>;
  /** @throws AppError `ask_closed` when it is not open, `bad_request`, `forbidden` */
  answer(conversationId: string, askId: string, said: UserAnswer): Promise<void>;
};

export type AsksParts = {
  readonly journal: (conversationId: string) => Promise<Journal>;
  readonly storedRules: Pick<StoredRules, "add">;
  /** Whether a person looks at the conversation now, who can answer. */
  readonly attended: (conversationId: string) => boolean;
  /** How long a request is held for an answer. */
  readonly holdMs: number;
  readonly clock: Clock;
  readonly newId: (prefix: IdPrefix) => string;
};

const MAX_OPEN = 20;
/** How long `once` lets through a request that was refused before the answer came. */
const GRANT_MS = 10 * 60_000;
const MAX_GRANTS = 1000;

type Held = { readonly settle: Set<(outcome: AskOutcome) => void>; turnedAway: boolean };

export function askUsers(parts: AsksParts): Asks {
  const held = new Map<string, Held>();
  const grants = grantsOf(parts.clock);
  return {
    async ask(conversationId, request, gone) {
      if (grants.take(conversationId, request)) return "once";
      const journal = await parts.journal(conversationId);
      const open = await openAsk(parts, journal, request);
      if (open === undefined) return "unasked";
      const entry = held.get(open.askId) ?? { settle: new Set(), turnedAway: false };
      held.set(open.askId, entry);
      const leftMs = parts.attended(conversationId) ? open.at + parts.holdMs - parts.clock.now() : 0;
      const outcome = await wait(entry, leftMs, parts.clock, gone);
      if (outcome === "waiting") entry.turnedAway = true;
      return outcome;
    },
    async answer(conversationId, askId, said) {
      const journal = await parts.journal(conversationId);
      const ask = find(journal.state, askId, parts.clock.now());
      if (said.answer === "always") await store(parts, journal.state, ask, said);
      const entry = held.get(askId);
      const late = entry === undefined || entry.turnedAway || entry.settle.size === 0;
      await journal.commit((state) => {
        find(state, askId, parts.clock.now());
        return answerEvents(state, ask, said, late);
      });
      held.delete(askId);
      if (late && said.answer === "once") grants.add(conversationId, ask);
      for (const settle of entry?.settle ?? []) settle(OUTCOMES[said.answer]);
    },
  };
}

const OUTCOMES = { once: "once", here: "changed", always: "changed", deny: "denied" } as const;

/** @throws AppError `ask_closed` */
function find(state: ConversationState, askId: string, now: number): OpenAsk {
  const ask = state.asks.find((open) => open.askId === askId && now - open.at < ASK_LIFE_MS);
  if (ask === undefined) throw new AppError("ask_closed", "This has been answered already, or nobody did for a day.");
  return ask;
}

/** The open ask for the request, made if there is none; undefined when too many are open. Closes those that expired. */
async function openAsk(parts: AsksParts, journal: Journal, request: RefusedRequest): Promise<OpenAsk | undefined> {
  const askId = parts.newId("n");
  await journal.commit(({ asks }) => {
    const now = parts.clock.now();
    const expired = asks.filter((ask) => now - ask.at >= ASK_LIFE_MS);
    const fresh = asks.filter((ask) => !expired.includes(ask));
    const known = fresh.some((ask) => isSame(ask, request)) || fresh.length >= MAX_OPEN;
    return [
      ...expired.map((ask) => ({ type: "network.answered" as const, askId: ask.askId, answer: "expired" as const })),
      ...(known ? [] : [{ type: "network.asked" as const, askId, ...request }]),
    ];
  });
  return journal.state.asks.find((ask) => isSame(ask, request));
}

/** Of a host of which only kinds of request are allowed, each kind is asked for by itself. */
function isSame(ask: RefusedRequest, request: RefusedRequest): boolean {
  if (ask.host !== request.host || ask.port !== request.port || ask.reason !== request.reason) return false;
  return ask.reason !== "request_not_allowed" || (ask.method === request.method && ask.path === request.path);
}

/** Until there is an answer, for `ms` at most, or until the client has gone. */
async function wait({ settle }: Held, ms: number, clock: Clock, gone: AbortSignal): Promise<AskOutcome> {
  if (ms <= 0) return "waiting";
  const answered = Promise.withResolvers<AskOutcome>();
  settle.add(answered.resolve);
  const over = new AbortController();
  const late = clock.sleep(ms, AbortSignal.any([gone, over.signal])).then(
    () => "waiting" as const,
    () => "waiting" as const,
  );
  try {
    return await Promise.race([answered.promise, late]);
  } finally {
    settle.delete(answered.resolve);
    over.abort();
  }
}

/** @throws AppError `bad_request` for a conversation without a repository or team, `forbidden`, `limit_reached` */
async function store(parts: AsksParts, state: ConversationState, ask: OpenAsk, said: UserAnswer): Promise<void> {
  const { scope = "owner" } = said;
  const teamId = scope === "team" ? state.teamId : undefined;
  if (teamId === null) {
    throw new AppError("bad_request", "This conversation has no team. Allow it for all of yours instead.");
  }
  requireTeam(teamId, said);
  const repository = scope === "repository" ? repositoryKey(state.source) : undefined;
  if (scope === "repository" && repository === undefined) {
    throw new AppError("bad_request", "This conversation has no repository. Allow it for all of yours instead.");
  }
  await parts.storedRules.add({ ownerId: state.ownerId, scope, repository, teamId, ...allowance(ask) });
}

function answerEvents(state: ConversationState, ask: OpenAsk, said: UserAnswer, late: boolean): ConversationEvent[] {
  const { answer, scope = "owner" } = said;
  const place = `${ask.host}${[80, 443].includes(ask.port) ? "" : `:${ask.port}`}`;
  const events: ConversationEvent[] = [
    { type: "network.answered", askId: ask.askId, answer, ...(answer === "always" ? { scope } : {}) },
  ];
  if (answer === "here") {
    events.push({ type: "conversation.configured", network: networkWith(state.sandbox.network, ask) });
  }
  if (late && answer !== "deny") {
    const text = `The user allowed ${place}${answer === "once" ? " once" : ""}. Try again if you still need it.`;
    events.push({ type: "notice.added", audience: "both", code: "egress_allowed", text });
  }
  return events;
}

/** What was allowed once after its request had been refused already: the next one like it may go, for a while. */
function grantsOf(clock: Clock) {
  const until = new Map<string, number>();
  const key = (id: string, { host, port, reason, method, path }: RefusedRequest) =>
    JSON.stringify([id, host, port, ...(reason === "request_not_allowed" ? [method, path] : [])]);
  return {
    add(id: string, place: RefusedRequest) {
      for (const oldest of until.keys()) if (until.size >= MAX_GRANTS) until.delete(oldest);
      until.set(key(id, place), clock.now() + GRANT_MS);
    },
    take(id: string, place: RefusedRequest): boolean {
      const end = until.get(key(id, place));
      until.delete(key(id, place));
      return end !== undefined && clock.now() < end;
    },
  };
}
