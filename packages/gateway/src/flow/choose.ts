import { hash } from "node:crypto";
import type { Deployment, Group, Strategy } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import type { PlaceState } from "./place-state.ts";

export type Choosing = {
  readonly stateOf: (deployment: Deployment) => PlaceState;
  readonly prices: PriceList;
  readonly random: () => number;
  /** Calls of one conversation go to one place, so that its prompt cache hits. Undefined: they need not. */
  readonly sticky: string | undefined;
};

/** The best of these by the group's strategy. There is at least one. */
export function choose(
  places: readonly Deployment[],
  { strategy }: Pick<Group, "strategy">,
  choosing: Choosing,
): Deployment {
  const [first, ...others] = places;
  if (first === undefined) throw new RangeError("There is nothing to choose from.");
  if (others.length === 0) return first;
  const score = choosing.sticky === undefined ? SCORES[strategy](choosing) : stickyScore(choosing.sticky);
  return others.reduce<Scored>(better(score), { place: first, score: score(first) }).place;
}

type Scored = { readonly place: Deployment; readonly score: number };
type Score = (place: Deployment) => number;

/** The highest wins. */
const better =
  (score: Score) =>
  (best: Scored, place: Deployment): Scored => {
    const own = score(place);
    return own > best.score ? { place, score: own } : best;
  };

const SCORES: Readonly<Record<Strategy, (choosing: Choosing) => Score>> = {
  weighted:
    ({ random }) =>
    (place) =>
      share(place, random()),
  // Chance decides between equals.
  "least-busy":
    ({ stateOf, random }) =>
    (place) =>
      -stateOf(place).inFlight / weightOf(place) + random() / 1e6,
  // What was never tried is tried first.
  "lowest-latency":
    ({ stateOf, random }) =>
    (place) =>
      -(stateOf(place).averageMs ?? 0) + random() / 1e6,
  cheapest:
    ({ prices, random }) =>
    (place) =>
      -(prices.cost(place, SAMPLE) ?? Number.MAX_VALUE) + random() / 1e12,
};

const SAMPLE = { ...NO_TOKENS, inputTokens: 3000, outputTokens: 1000 };

const weightOf = ({ weight }: Deployment) => (weight !== undefined && weight > 0 ? weight : 1);

/** Of a number drawn evenly from 0 to 1: the highest falls to each place as often as its weight says. */
const share = (place: Deployment, drawn: number) => Math.log(Math.max(drawn, Number.MIN_VALUE)) / weightOf(place);

/** Rendezvous hashing: when a place comes or goes, only its own conversations move. */
function stickyScore(session: string): Score {
  return (place) => share(place, parseInt(hash("sha1", `${session}\n${place.id}`).slice(0, 12), 16) / 2 ** 48);
}
