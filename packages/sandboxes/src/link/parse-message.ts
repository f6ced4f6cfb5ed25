import { AppError } from "@handrail/protocol/errors";
import { FromSandboxd } from "@handrail/protocol/sandboxd/messages";

/** More than any answer has within the size of a frame. */
const MAX_VALUES = 500_000;

/**
 * A message of sandboxd. One of very many values, which would take long to read, is not looked at.
 * @throws AppError `sandboxd_protocol`; others for what is no message
 */
export function parseMessage(payload: Uint8Array): FromSandboxd {
  if (payload.length > MAX_VALUES && hasMoreValues(payload, MAX_VALUES)) {
    throw new AppError("sandboxd_protocol", "A message of the sandbox has too many values.");
  }
  return FromSandboxd.parse(JSON.parse(new TextDecoder().decode(payload)));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LIST = 0x5b;
const RECORD = 0x7b;

/** Whether JSON has more than so many values. */
export function hasMoreValues(json: Uint8Array, most: number): boolean {
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at + 1);
    else if (byte === COMMA || byte === LIST || byte === RECORD) values += 1;
    if (values > most) return true;
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
