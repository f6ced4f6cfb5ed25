import type { DeploymentHealth } from "@handrail/protocol/gateway";
import type { Deployment, Group, RoutingSettings } from "../ports/deployment.ts";
import type { GatewayObserver } from "../ports/observer.ts";
import type { PriceList } from "../ports/price-list.ts";
import { choose } from "./choose.ts";
import {
  type Failure,
  hasRoom,
  newPlaceState,
  noteFailure,
  noteSuccess,
  type PlaceState,
  takeRoom,
} from "./place-state.ts";

export type PlacesParts = {
  readonly prices: PriceList;
  readonly routing: () => RoutingSettings;
  readonly observer: GatewayObserver;
  readonly now: () => number;
  readonly random?: () => number;
};

/** What is looked for. */
export type Seeking = {
  readonly group: Group;
  readonly usable: (deployment: Deployment) => boolean;
  readonly sticky: string | undefined;
  readonly tokens: number;
  /** How often each was tried for this call. */
  readonly tried: ReadonlyMap<string, number>;
};

/** A place to ask, or until when there is none. */
export type Found =
  | { readonly kind: "place"; readonly deployment: Deployment }
  | { readonly kind: "none" }
  | { readonly kind: "busy"; readonly until: number };

/** All deployments with how their calls go, and the choice between them. */
export type Places = {
  find(seeking: Seeking): Found;
  /** A call begins; it counts until `end` is called, once. */
  begin(deployment: Deployment, tokens: number): { end(): void };
  succeeded(deployment: Deployment, ms: number): void;
  failed(deployment: Deployment, failure: Omit<Failure, "at">): void;
  health(deploymentId: string): DeploymentHealth;
};

const MAX_PLACES = 10_000;
const MINUTE_MS = 60_000;

export function createPlaces({ prices, routing, observer, now, random = Math.random }: PlacesParts): Places {
  const states = new Map<string, PlaceState>();
  const stateOf = ({ id }: Deployment) => {
    const known = states.get(id);
    if (known) return known;
    const oldest = states.keys().next();
    if (states.size >= MAX_PLACES && !oldest.done) states.delete(oldest.value);
    const state = newPlaceState();
    states.set(id, state);
    return state;
  };
  return {
    find({ group, usable, sticky, tokens, tried }) {
      const able = group.deployments.filter(usable);
      if (able.length === 0) return { kind: "none" };
      const at = now();
      const open = able.filter((place) => hasRoom(stateOf(place), place, tokens, at));
      if (open.length === 0) return { kind: "busy", until: (Math.floor(at / MINUTE_MS) + 1) * MINUTE_MS };
      const best = leastTried(rested(open, stateOf, at), tried);
      return { kind: "place", deployment: choose(best, group, { stateOf, prices, random, sticky }) };
    },
    begin(deployment, tokens) {
      const state = stateOf(deployment);
      state.inFlight += 1;
      state.calls += 1;
      takeRoom(state, tokens, now());
      let open = true;
      return {
        end() {
          if (open) state.inFlight -= 1;
          open = false;
        },
      };
    },
    succeeded: (deployment, ms) => noteSuccess(stateOf(deployment), ms),
    failed(deployment, failure) {
      const until = noteFailure(stateOf(deployment), { ...failure, at: now() }, routing());
      if (until !== undefined) observer.rested?.(deployment, until);
    },
    health: (id) => healthOf(states.get(id), now()),
  };
}

/** Those that do not rest; where all do, the one that rests the shortest, since a try costs less than a refusal. */
function rested(
  places: readonly Deployment[],
  stateOf: (deployment: Deployment) => PlaceState,
  at: number,
): readonly Deployment[] {
  const awake = places.filter((place) => stateOf(place).restsUntil <= at);
  if (awake.length > 0) return awake;
  return places.toSorted((a, b) => stateOf(a).restsUntil - stateOf(b).restsUntil).slice(0, 1);
}

function leastTried(places: readonly Deployment[], tried: ReadonlyMap<string, number>): readonly Deployment[] {
  if (places.length < 2 || tried.size === 0) return places;
  const timesOf = ({ id }: Deployment) => tried.get(id) ?? 0;
  const least = Math.min(...places.map(timesOf));
  return places.filter((place) => timesOf(place) === least);
}

function healthOf(state: PlaceState | undefined, at: number): DeploymentHealth {
  if (state === undefined || state.calls === 0) return { state: "unused", calls: 0, failures: 0, p50Ms: null };
  const resting = state.restsUntil > at;
  const sorted = state.latencies.toSorted((a, b) => a - b);
  return {
    state: resting ? "resting" : state.failed ? "failing" : "ok",
    calls: state.calls,
    failures: state.failures,
    p50Ms: sorted[Math.floor(sorted.length / 2)] ?? null,
    ...(state.lastError !== undefined && { lastError: state.lastError }),
    ...(resting && { restsUntil: state.restsUntil }),
  };
}
