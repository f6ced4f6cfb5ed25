const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LIST = 0x5b;
const LIST_END = 0x5d;
const RECORD = 0x7b;
const RECORD_END = 0x7d;

/** By how many more values there are behind a byte, and how much deeper it is there. */
const VALUES = new Int8Array(256);
const DEPTH = new Int8Array(256);
for (const byte of [COMMA, LIST, RECORD]) VALUES[byte] = 1;
for (const byte of [LIST, RECORD]) DEPTH[byte] = 1;
for (const byte of [LIST_END, RECORD_END]) DEPTH[byte] = -1;

/** Whether JSON has more than so many values, or more lists and records in each other. */
export function hasMoreValues(json: Uint8Array, most: number, deepest = Infinity): boolean {
  let values = 1;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) at = endOfString(json, at + 1);
    values += VALUES[byte] ?? 0;
    depth += DEPTH[byte] ?? 0;
    if (values > most || depth > deepest) return true;
  }
  return false;
}

/** Texts that are longer are looked through by what is made for it; less and less often where quotes in them are many. */
const SHORT = 32;

function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  for (let until = from + SHORT; ; until = at + 2 * (until - from)) {
    for (; at < until; at++) {
      if (json[at] === QUOTE || at >= json.length) return at;
      if (json[at] === BACKSLASH) at += 1;
    }
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) return json.length;
    let escapes = 0;
    while (quote - escapes > at && json[quote - escapes - 1] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote;
    at = quote + 1;
  }
}
