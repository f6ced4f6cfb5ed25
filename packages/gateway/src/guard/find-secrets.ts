import { SECRET_PATTERNS, type SecretPattern } from "./secret-patterns.ts";

/** Where something is that should not leave: characters `from` to `to` of a text. */
export type Span = { readonly from: number; readonly to: number; readonly name: string };

/** Finds secrets of certain formats. */
export type SecretFinder = (text: string) => readonly Span[];

/** Looks for the formats that a text, of which others are parts, can have; undefined when it has none. */
export function finderFor(whole: string): SecretFinder | undefined {
  // Written as \u0073, the letters of a hint may be there without being seen.
  const hidden = /\\u00[2-7]/.test(whole);
  const patterns = SECRET_PATTERNS.filter(({ hints }) => hidden || hints.some((hint) => whole.includes(hint)));
  const keys = hidden || whole.includes(BEGIN);
  if (patterns.length === 0 && !keys) return undefined;
  return (text) => [...patterns.flatMap((pattern) => spansOf(pattern, text)), ...(keys ? privateKeys(text) : [])];
}

/** The text with each secret as `[redacted NAME]`. */
export function maskText(text: string): string {
  return withoutSpans(text, apart(finderFor(text)?.(text) ?? []));
}

/** What stands for a secret. It needs no escapes in JSON. */
export const placeholder = ({ name }: Span): string => `[redacted ${name}]`;

/** In order, and those that overlap as one. */
export function apart(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const last = result.at(-1);
    if (last === undefined || span.from >= last.to) result.push(span);
    else if (span.to > last.to) result[result.length - 1] = { ...last, to: span.to };
  }
  return result;
}

function withoutSpans(text: string, spans: readonly Span[]): string {
  const kept = spans.map((span, index) => text.slice(spans[index - 1]?.to ?? 0, span.from) + placeholder(span));
  return kept.join("") + text.slice(spans.at(-1)?.to ?? 0);
}

function spansOf({ name, hints, expression }: SecretPattern, text: string): readonly Span[] {
  if (!hints.some((hint) => text.includes(hint))) return [];
  return Array.from(text.matchAll(expression), (match) => {
    const to = match.index + match[0].length;
    return { from: to - (match.groups?.["secret"] ?? match[0]).length, to, name };
  });
}

const BEGIN = "-----BEGIN ";
const HEADER = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g;
const FOOTER = "-----END ";
const MAX_KEY = 65_536;

/** Whole ones, and the beginnings of such that were cut off. */
function privateKeys(text: string): readonly Span[] {
  const spans: Span[] = [];
  let footer = -1;
  let done = 0;
  for (const { index, 0: header } of text.matchAll(HEADER)) {
    if (index < done) continue;
    const body = index + header.length;
    if (footer < body) footer = nextFooter(text, body);
    done = footer - body <= MAX_KEY ? footerEnd(text, footer) : bodyEnd(text, body);
    spans.push({ from: index, to: done, name: "private-key" });
  }
  return spans;
}

function nextFooter(text: string, from: number): number {
  const found = text.indexOf(FOOTER, from);
  return found < 0 ? Number.POSITIVE_INFINITY : found;
}

function footerEnd(text: string, footer: number): number {
  const close = text.indexOf("-----", footer + FOOTER.length);
  return close < 0 || close - footer > 100 ? footer : close + 5;
}

const BODY = /[A-Za-z0-9+/=\s\\:,.]*/y;

function bodyEnd(text: string, from: number): number {
  BODY.lastIndex = from;
  return from + (BODY.exec(text)?.[0].length ?? 0);
}
