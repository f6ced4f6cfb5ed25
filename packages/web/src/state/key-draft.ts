import { type KeyInfo, KeyInput } from "@handrail/protocol/gateway";
import { firstIssue, given, givenNumbers } from "./form-texts.ts";
import { type KeyLimitDraft, keyLimitDraft, NO_KEY_LIMITS, readKeyLimits } from "./key-limit-draft.ts";

/** The form of a key as typed. `models` are separated by spaces, `days` is how long it is good for. */
export type KeyDraft = {
  readonly name: string;
  readonly models: string;
  readonly team: string;
  readonly days: string;
  readonly cache: "off" | "key" | "team" | "all";
  readonly limits: KeyLimitDraft;
};

export const NEW_KEY: KeyDraft = { name: "", models: "", team: "", days: "", cache: "off", limits: NO_KEY_LIMITS };

/** A key as the form shows it. How long it is still good for is typed anew. */
export function keyDraft({ name, models, teamId, cache, limits }: KeyInfo): KeyDraft {
  return { name, models: models?.join(" ") ?? "", team: teamId ?? "", days: "", cache, limits: keyLimitDraft(limits) };
}

const DAY_MS = 86_400_000;

/** What the form says, or a sentence that says what is wrong. */
export function readKeyDraft(draft: KeyDraft, nowMs: number): KeyInput | string {
  if (draft.name.trim() === "") return "Give the key a name.";
  const limits = readKeyLimits(draft.limits);
  if (typeof limits === "string") return limits;
  const { days } = givenNumbers({ days: draft.days });
  if (days !== undefined && !(days > 0)) return "Give the days that it is good for, or nothing.";
  const models = draft.models.split(/[\s,]+/).filter(Boolean);
  const read = KeyInput.safeParse({
    name: draft.name,
    limits,
    cache: draft.cache,
    ...(models.length > 0 && { models }),
    ...given({ teamId: draft.team }),
    ...(days !== undefined && { expiresAt: Math.round(nowMs + days * DAY_MS) }),
  });
  return read.success ? read.data : firstIssue(read.error);
}
