import { z } from "zod";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A new id: the prefix, `_`, and 20 characters of Crockford base 32 in lower case. 9 characters are the time in
 * milliseconds (so ids of one kind sort by age), 11 are random (55 bits). Safe in paths, URLs, DNS labels and shells.
 */
export function newId(prefix: IdPrefix, nowMs: number): string {
  let time = "";
  for (let rest = nowMs, index = 0; index < 9; index++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  const random = Array.from(crypto.getRandomValues(new Uint8Array(11)), (byte) => ALPHABET[byte % 32]).join("");
  return `${prefix}_${time}${random}`;
}

/** When an id was made, in Unix milliseconds. */
export function idTime(id: string): number {
  const [, time = ""] = /^[a-z]_([0-9a-hjkmnp-tv-z]{9})/.exec(id) ?? [];
  return Array.from(time).reduce((sum, character) => sum * 32 + ALPHABET.indexOf(character), 0);
}

/**
 * `c` conversation, `r` run, `m` message, `s` step, `k` call, `x` sandbox, `p` checkpoint, `u` user, `n` ask, `w` stored
 * network rule, `d` deployment of a model, `v` virtual key of the gateway.
 */
export type IdPrefix = "c" | "r" | "m" | "s" | "k" | "x" | "p" | "u" | "n" | "w" | "d" | "v";

const idOf = (prefix: IdPrefix) =>
  z.string().regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{20}$`), `must be an id that starts with ${prefix}_`);

/** Names a user or a team, to the gateway too. */
export const OwnerId = z.string().min(1).max(128);

export const ConversationId = idOf("c");
export const RunId = idOf("r");
export const MessageId = idOf("m");
export const StepId = idOf("s");
export const CallId = idOf("k");
export const SandboxId = idOf("x");
export const AskId = idOf("n");
export const RuleId = idOf("w");
export const CheckpointId = idOf("p");
