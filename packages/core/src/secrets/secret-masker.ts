import { type Needle, type NeedleAutomaton, needleAutomaton } from "./needle-automaton.ts";
import { type NamedValue, secretForms } from "./secret-forms.ts";

/** How a stretch of bytes that gave a secret away is written: `length` bytes of it, the secret being `name`. */
export type Writing = (name: string, length: number) => Uint8Array;

/**
 * Takes secrets out of bytes that come in pieces. What it gives is the same however the bytes are cut; it holds back no
 * more than the longest form of a secret, and of secrets that overlap no more than 64 KiB.
 */
export type MaskStream = {
  push(bytes: Uint8Array): Uint8Array;
  /** What was held back, at the end of the bytes. */
  end(): Uint8Array;
};

/** Knows secrets in all their forms. */
export type SecretMasker = {
  /** The text with each secret as `[secret NAME]`. */
  text(text: string): string;
  /** The bytes, as many as they were, with each secret overwritten: for what is read by offset. */
  bytes(bytes: Uint8Array): Uint8Array;
  /** The name of the first secret in the bytes, or undefined. */
  find(bytes: Uint8Array): string | undefined;
  /** The same for bytes that come in pieces: the first secret that ends in the piece. */
  search(): (piece: Uint8Array) => string | undefined;
  stream(writing: Writing, prompt?: Prompt): MaskStream;
  /** Bytes of the longest form; 0 when there is nothing to mask. */
  readonly longest: number;
};

/** `releases`: a beginning of a secret of up to so many bytes is not held back, so that what is typed shows at once. */
export type Prompt = { readonly releases: number };

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();
const NOTHING = new Uint8Array();

/** `[secret NAME]` */
export const labelled: Writing = (name) => UTF8.encode(`[secret ${name}]`);

/** The label in exactly as many bytes, filled up with asterisks; asterisks alone where it has no room. */
export const overwritten: Writing = (name, length) => {
  const label = UTF8.encode(`[secret ${name}]`);
  const filled = new Uint8Array(length).fill(ASTERISK);
  if (label.length <= length) filled.set(label);
  return filled;
};

const ASTERISK = 0x2a;

/** A masker of these values; values shorter than `SHORTEST_SECRET` are not masked. */
export function secretMasker(values: readonly NamedValue[]): SecretMasker {
  return maskerOf(values.flatMap(({ name, value }) => secretForms(value).map((bytes) => ({ bytes, name }))));
}

function maskerOf(needles: readonly Needle[]): SecretMasker {
  const automaton = needleAutomaton(needles);
  const { longest } = automaton;
  const stream: SecretMasker["stream"] = (writing, prompt) =>
    longest === 0 ? PASS : maskStream(automaton, writing, prompt?.releases ?? 0);
  const whole = (bytes: Uint8Array, writing: Writing) => {
    const masking = stream(writing);
    return joined([masking.push(bytes), masking.end()]);
  };
  const search = () => {
    let place = 0;
    return (piece: Uint8Array) => {
      let first: string | undefined;
      place = automaton.scan(piece, place, (_end, { name }) => {
        first = name;
        return true;
      });
      return first;
    };
  };
  const find = (bytes: Uint8Array) => search()(bytes);
  return {
    longest,
    stream,
    find,
    search,
    bytes: (bytes) => whole(bytes, overwritten),
    text(text) {
      if (longest === 0) return text;
      const bytes = UTF8.encode(text);
      return find(bytes) === undefined ? text : TEXT.decode(whole(bytes, labelled));
    },
  };
}

/**
 * Masks the names of hosts, in which capitals are lost, and which may have a secret in pieces of at most 63 characters: then
 * the whole name is masked. One without a secret stays as it is.
 */
export function hostMasker(values: readonly NamedValue[]): (host: string) => string {
  const lower = values.flatMap(({ name, value }) => secretForms(value).map((form) => ({ name, bytes: lowered(form) })));
  const masker = maskerOf(lower);
  return (host) => {
    const name = host.toLowerCase();
    const masked = masker.text(name);
    if (masked !== name) return masked;
    const found = masker.find(UTF8.encode(name.replaceAll(".", "")));
    return found === undefined ? host : TEXT.decode(labelled(found, 0));
  };
}

const lowered = (bytes: Uint8Array) => UTF8.encode(TEXT.decode(bytes).toLowerCase());

const PASS: MaskStream = { push: (bytes) => bytes, end: () => NOTHING };

/** Secrets that overlap without end are written in parts, so that they are not held back without end. */
const LONGEST_SPAN = 64 * 1024;

type Span = { readonly from: number; to: number; readonly name: string };

/**
 * Matches that overlap make one span. A span is written once no further match can begin before its end; bytes before
 * the beginning of what may still become a match pass on.
 */
function maskStream(automaton: NeedleAutomaton, writing: Writing, releases: number): MaskStream {
  let held: Uint8Array = NOTHING;
  /** Where `held` begins, and where reading is, in bytes from the start. */
  let base = 0;
  let at = 0;
  let place = 0;
  let spans: Span[] = [];

  const note = (to: number, length: number, name: string) => {
    let from = Math.max(to - length, base);
    let named = name;
    for (let last = spans.at(-1); last !== undefined && last.to > from; last = spans.at(-1)) {
      if (last.from <= from) [from, named] = [last.from, last.name];
      spans.pop();
    }
    // Always at the same places, however the bytes are cut.
    for (; to - from > LONGEST_SPAN; from += LONGEST_SPAN) spans.push({ from, to: from + LONGEST_SPAN, name: named });
    spans.push({ from, to, name: named });
  };
  const flush = (safe: number): Uint8Array => {
    const out: Uint8Array[] = [];
    let done = base;
    const last = spans.findLast((span) => span.from < safe && span.to > safe);
    const until = last?.from ?? safe;
    for (const { from, to, name } of spans.filter((span) => span.to <= until)) {
      out.push(held.subarray(done - base, from - base), writing(name, to - from));
      done = to;
    }
    out.push(held.subarray(done - base, until - base));
    spans = spans.filter((span) => span.to > until);
    held = held.slice(until - base);
    base = until;
    return joined(out);
  };
  return {
    push(bytes) {
      held = joined([held, bytes]);
      place = automaton.scan(bytes, place, (end, { length, name }) => {
        note(at + end, length, name);
        return false;
      });
      at += bytes.length;
      const open = automaton.open(place);
      return flush(Math.max(base, at - (open > releases ? open : 0)));
    },
    end: () => flush(at),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0);
  const [only] = filled;
  if (filled.length < 2) return only ?? NOTHING;
  const all = new Uint8Array(filled.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of filled) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
