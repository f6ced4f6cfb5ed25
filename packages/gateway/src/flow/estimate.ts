import { type NanoUsd, nanoUsd } from "../ports/money.ts";
import type { Deployment, Group } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import { NO_TOKENS, type TokenUsage } from "../ports/token-usage.ts";
import type { Asked } from "../request/asked.ts";

/** The most that a call is expected to use. */
export type Estimate = {
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly nanoUsd: NanoUsd;
};

/** What is reserved for an answer where neither the request nor the deployment says how long it may be. */
export const DEFAULT_ANSWER_TOKENS = 8192;
/** Rather too many tokens than too few: English has four bytes a token, code a little less. */
const BYTES_PER_TOKEN = 3;
/** Pictures are counted by their size in pixels, which their bytes do not tell. */
const TOKENS_PER_FILE = 2500;

/** What is reserved for a call: at the dearest of the deployments that may answer it. */
export function estimate(asked: Asked, group: Group, prices: PriceList): Estimate {
  const promptTokens = promptGuess(asked);
  const most = group.deployments.map((place) => atPlace(asked, place, { promptTokens, prices }));
  const answerTokens = Math.max(0, ...most.map(({ answer }) => answer));
  return { promptTokens, answerTokens, nanoUsd: nanoUsd(Math.max(0, ...most.map(({ usd }) => usd))) };
}

type Guess = { readonly promptTokens: number; readonly prices: PriceList };

function atPlace(asked: Asked, place: Deployment, { promptTokens, prices }: Guess) {
  const answer = asked.format === "embeddings" ? 0 : answerGuess(asked, place, prices);
  const usage: TokenUsage = { ...NO_TOKENS, [promptBucket(asked.body)]: promptTokens, outputTokens: answer };
  return { answer, usd: prices.cost(place, usage, { tier: wantedTier(asked) }) ?? 0 };
}

/** Only a dearer service: whether a call gets a cheaper one is known when it is over. */
const wantedTier = ({ parsed }: Asked) => (parsed["service_tier"] === "priority" ? "priority" : undefined);

/** Writing to a prompt cache costs more than input. */
function promptBucket(body: Buffer): keyof TokenUsage {
  if (!body.includes('"cache_control"')) return "inputTokens";
  return body.includes('"1h"') ? "cacheWriteHourTokens" : "cacheWriteTokens";
}

const LENGTHS = ["max_completion_tokens", "max_output_tokens", "max_tokens"];

function answerGuess({ parsed }: Asked, place: Deployment, prices: PriceList): number {
  const wanted = LENGTHS.map((name) => parsed[name]).find((value) => typeof value === "number" && value > 0);
  const usual = place.maxOutputTokens ?? Math.min(DEFAULT_ANSWER_TOKENS, windowOf(place, prices) ?? Infinity);
  const tokens = typeof wanted === "number" ? wanted : usual;
  const { n } = parsed;
  return Math.ceil(tokens) * (typeof n === "number" && n > 1 ? Math.ceil(n) : 1);
}

/** For a place with prices of its own the list is not asked: it may not be loaded yet, and is large. */
function windowOf(place: Deployment, prices: PriceList): number | undefined {
  return place.contextTokens ?? (place.prices === undefined ? prices.contextTokens(place) : undefined);
}

/** Of the whole request. Files in it are not text, however long they are. */
export function promptGuess({ body, parsed }: Pick<Asked, "body" | "parsed">, bytesPerToken = BYTES_PER_TOKEN): number {
  if (!body.includes("base64")) return Math.ceil(body.length / bytesPerToken);
  const found = filesIn(parsed, { characters: 0, files: 0 });
  return Math.ceil(Math.max(0, body.length - found.characters) / bytesPerToken) + found.files * TOKENS_PER_FILE;
}

const USUAL_BYTES_PER_TOKEN = 4;

/** What a request is booked at whose provider did not say how long it was: as good a guess as there is, not the most that it may be. */
export const promptCount = (asked: Pick<Asked, "body" | "parsed">): number => promptGuess(asked, USUAL_BYTES_PER_TOKEN);

type Files = { characters: number; files: number };
const SHORTEST_FILE = 1024;
const BASE64 = /^(?:data:[^,]{0,200};base64,)?[A-Za-z0-9+/_-]{512}/;

function filesIn(value: unknown, found: Files): Files {
  if (typeof value === "string") {
    if (value.length >= SHORTEST_FILE && BASE64.test(value)) {
      found.characters += value.length;
      found.files += 1;
    }
    return found;
  }
  if (typeof value !== "object" || value === null) return found;
  for (const inner of Object.values(value)) filesIn(inner, found);
  return found;
}
