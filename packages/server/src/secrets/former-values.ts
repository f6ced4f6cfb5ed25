import { SecretName, SecretScope } from "@handrail/protocol/secrets";
import { z } from "zod";
import { EarlierValue, keptOf, MAX_EARLIER, type StoredSecret, teamOf } from "./sealed-values.ts";

/**
 * A value of a secret that was removed, or given to other conversations, to be masked where it was known. `scope` is the one that
 * the secret had then, `replacedAt` when that ended (Unix milliseconds).
 */
export const FormerValue = EarlierValue.extend({ ownerId: z.string(), name: SecretName, scope: SecretScope });
export type FormerValue = z.infer<typeof FormerValue>;

/** Of one user or team. */
const MAX_FORMER = 256;

/** With the values of a secret that ends as it is now, latest first; those of one name up to eight, all up to a year. */
export function formerWith(former: readonly FormerValue[], secret: StoredSecret, at: number): readonly FormerValue[] {
  const { ownerId, name, scope, sealed } = secret;
  const values = [{ sealed, replacedAt: at }, ...(secret.earlier ?? [])];
  const all = [...values.map((value) => ({ ownerId, name, scope, ...value })), ...former];
  const ofName = counter();
  const ofHolder = counter();
  return keptOf({ earlier: all }, at)
    .filter((one) => ofName(`${holderOf(one)} ${one.name}`) <= MAX_EARLIER)
    .filter((one) => ofHolder(holderOf(one)) <= MAX_FORMER);
}

/** No name has a blank. */
const holderOf = ({ ownerId, scope }: Pick<FormerValue, "ownerId" | "scope">) => {
  const teamId = teamOf({ scope });
  return teamId === null ? `owner ${ownerId}` : `team ${teamId}`;
};

/** How often it was asked for this one, this time included. */
function counter() {
  const counts = new Map<string, number>();
  return (key: string) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };
}
