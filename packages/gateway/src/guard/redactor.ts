import { isUtf8 } from "node:buffer";
import type { Redactor } from "../ports/guard.ts";
import type { ConfiguredPatterns } from "./configured-patterns.ts";
import { apart, finderFor, placeholder, type SecretFinder, type Span } from "./find-secrets.ts";
import { type JsonText, jsonTexts, rawPlaces } from "./json-texts.ts";

type Cut = { readonly start: number; readonly end: number; readonly put: string };

/** No secret is shorter. */
const SHORTEST = 8;

/**
 * Takes secrets of the usual formats out, and what configured patterns match. A text is looked through as what it says,
 * however it is written; the bytes around a secret stay as they are.
 *
 * @throws AppError from `redact`: `redaction_failed` when the configured patterns take too long
 */
export function createRedactor(configured?: ConfiguredPatterns): Redactor {
  return {
    redact(body) {
      const encoding = isUtf8(body) ? "utf8" : "latin1";
      const finder = finderFor(body.toString("latin1"));
      if (finder === undefined && configured === undefined) return { body, count: 0 };
      const texts = jsonTexts(body, encoding, configured === undefined ? SHORTEST : 1);
      const cuts = cutsIn(texts, encoding, { finder, configured });
      return cuts.length === 0 ? { body, count: 0 } : { body: without(body, cuts), count: cuts.length };
    },
  };
}

type Finders = { readonly finder: SecretFinder | undefined; readonly configured: ConfiguredPatterns | undefined };

function cutsIn(texts: Iterable<JsonText>, encoding: BufferEncoding, { finder, configured }: Finders): readonly Cut[] {
  const search = () =>
    Array.from(texts).flatMap((text) => {
      // What a pattern of one's own matches by chance must not take a member's name away.
      const own = text.key ? [] : (configured?.find(text.text) ?? []);
      return cutsOf(text, encoding, apart([...(finder?.(text.text) ?? []), ...own]));
    });
  return configured === undefined ? search() : configured.inTime(search);
}

function cutsOf(text: JsonText, encoding: BufferEncoding, spans: readonly Span[]): readonly Cut[] {
  if (spans.length === 0) return [];
  const places = rawPlaces(
    text,
    spans.flatMap(({ from, to }) => [from, to]),
  );
  let [at, seen] = [text.start, 0];
  const bytes = places.map((place) => {
    at += Buffer.byteLength(text.raw.slice(seen, place), encoding);
    seen = place;
    return at;
  });
  return spans.map((span, index) => ({
    start: bytes[2 * index] ?? text.end,
    end: bytes[2 * index + 1] ?? text.end,
    put: placeholder(span),
  }));
}

function without(body: Buffer, cuts: readonly Cut[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, put } of cuts) {
    parts.push(body.subarray(at, start), Buffer.from(put));
    at = end;
  }
  return Buffer.concat([...parts, body.subarray(at)]);
}
