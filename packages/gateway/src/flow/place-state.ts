import type { Deployment, RoutingSettings } from "../ports/deployment.ts";

/** How the calls at one deployment go. Times are Unix milliseconds. */
export type PlaceState = {
  inFlight: number;
  calls: number;
  failures: number;
  /** When it failed within the last minute. */
  recent: number[];
  restsUntil: number;
  /** After a rest the next failure counts as too many. */
  onProbation: boolean;
  /** Of the last calls, until their first byte; in milliseconds. */
  latencies: number[];
  /** Moving average of `latencies`; undefined before the first. */
  averageMs: number | undefined;
  lastError: string | undefined;
  failed: boolean;
  window: { minute: number; requests: number; tokens: number };
};

export function newPlaceState(): PlaceState {
  return {
    inFlight: 0,
    calls: 0,
    failures: 0,
    recent: [],
    restsUntil: 0,
    onProbation: false,
    latencies: [],
    averageMs: undefined,
    lastError: undefined,
    failed: false,
    window: { minute: 0, requests: 0, tokens: 0 },
  };
}

const MINUTE_MS = 60_000;
const KEPT_LATENCIES = 64;
const NEWEST_SHARE = 0.3;

/** A call went well until its first byte. */
export function noteSuccess(state: PlaceState, ms: number): void {
  state.failed = false;
  state.onProbation = false;
  state.latencies.push(ms);
  if (state.latencies.length > KEPT_LATENCIES) state.latencies.shift();
  state.averageMs = state.averageMs === undefined ? ms : state.averageMs * (1 - NEWEST_SHARE) + ms * NEWEST_SHARE;
}

export type Failure = {
  readonly at: number;
  readonly error: string;
  /** It rests at once, until then: what it asked for, or what will not get better by asking again. */
  readonly restUntil?: number;
};

/** A call failed. Says until when the deployment rests because of it; undefined when it does not. */
export function noteFailure(
  state: PlaceState,
  { at, error, restUntil }: Failure,
  routing: Pick<RoutingSettings, "allowedFailures" | "cooldownMs">,
): number | undefined {
  state.failures += 1;
  state.failed = true;
  state.lastError = error;
  state.recent = [...state.recent.filter((time) => time > at - MINUTE_MS), at].slice(-(routing.allowedFailures + 1));
  const tooMany = state.onProbation || state.recent.length > routing.allowedFailures;
  const until = restUntil ?? (tooMany ? at + routing.cooldownMs : undefined);
  if (until === undefined || until <= state.restsUntil) return undefined;
  state.restsUntil = until;
  state.onProbation = true;
  state.recent = [];
  return until;
}

/** Whether its own limits leave room for a call of so many tokens in this minute. */
export function hasRoom(state: PlaceState, deployment: Deployment, tokens: number, now: number): boolean {
  const { requestsPerMinute, tokensPerMinute } = deployment;
  const window = windowAt(state, now);
  if (requestsPerMinute !== undefined && window.requests + 1 > requestsPerMinute) return false;
  // A call that is larger than the limit itself still gets its turn.
  return tokensPerMinute === undefined || window.tokens === 0 || window.tokens + tokens <= tokensPerMinute;
}

/** Counts a call against its own limits. */
export function takeRoom(state: PlaceState, tokens: number, now: number): void {
  const window = windowAt(state, now);
  window.requests += 1;
  window.tokens += tokens;
}

function windowAt(state: PlaceState, now: number): PlaceState["window"] {
  const minute = Math.floor(now / MINUTE_MS);
  if (state.window.minute !== minute) state.window = { minute, requests: 0, tokens: 0 };
  return state.window;
}
