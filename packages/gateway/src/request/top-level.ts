import { AppError } from "@handrail/protocol/errors";

/** A member of the object that a body is. Offsets in bytes; ends are behind the last one. */
export type Member = {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;

/** Deeper ones would end some of those that go through them by calling themselves. */
const MAX_DEPTH = 200;

/**
 * The members of a body that is known to be one valid JSON object, doubled ones included.
 * @throws AppError `bad_request` when values are within one another too often
 */
export function membersOf(body: Buffer): readonly Member[] {
  const known = KNOWN.get(body);
  if (known) return known;
  const members = scan(body);
  KNOWN.set(body, members);
  return members;
}

/** A body is looked through once, however often it is asked about. */
const KNOWN = new WeakMap<Buffer, readonly Member[]>();

function scan(body: Buffer): readonly Member[] {
  const members: Member[] = [];
  let at = spaceEnd(body, spaceEnd(body, 0) + 1);
  while (at < body.length && body[at] !== CLOSE_BRACE) {
    const keyEnd = stringEnd(body, at);
    const valueStart = spaceEnd(body, spaceEnd(body, keyEnd) + 1);
    const valueEnd = endOfValue(body, valueStart);
    members.push({ key: keyAt(body, at, keyEnd), start: at, valueStart, valueEnd });
    at = spaceEnd(body, valueEnd);
    if (body[at] === COMMA) at = spaceEnd(body, at + 1);
  }
  return members;
}

/** A key may be written with escapes. */
function keyAt(body: Buffer, start: number, end: number): string {
  const text = body.toString("utf8", start + 1, end - 1);
  return text.includes("\\") ? String(JSON.parse(`"${text}"`)) : text;
}

function spaceEnd(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && (body[at] as number) <= SPACE) at += 1;
  return at;
}

/** Behind the text whose first quote is at `from`. */
export function stringEnd(body: Buffer, from: number): number {
  let quote = body.indexOf(QUOTE, from + 1);
  while (quote > 0 && escaped(body, quote)) quote = body.indexOf(QUOTE, quote + 1);
  return quote < 0 ? body.length : quote + 1;
}

function escaped(body: Buffer, quote: number): boolean {
  let at = quote - 1;
  while (body[at] === BACKSLASH) at -= 1;
  return (quote - at) % 2 === 0;
}

function endOfValue(body: Buffer, from: number): number {
  const first = body[from];
  if (first === QUOTE) return stringEnd(body, from);
  return first === OPEN_BRACE || first === OPEN_BRACKET ? nestedEnd(body, from) : scalarEnd(body, from);
}

function scalarEnd(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && !endsScalar(body[at] as number)) at += 1;
  return at;
}

const endsScalar = (byte: number) => byte === COMMA || byte === CLOSE_BRACE || byte <= SPACE || byte === COLON;

function nestedEnd(body: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  while (at < body.length) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = stringEnd(body, at);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth = deeper(depth);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return at;
}

function deeper(depth: number): number {
  if (depth < MAX_DEPTH) return depth + 1;
  throw new AppError("bad_request", `The request's body holds values more than ${MAX_DEPTH} deep in one another.`);
}
