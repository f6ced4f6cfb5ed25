import { SecretInfo } from "@handrail/protocol/secrets";
import { z } from "zod";
import type { Secrets } from "../settings/secrets.ts";

/** A value that was replaced, and when (Unix milliseconds). */
export const EarlierValue = z.object({ sealed: z.string(), replacedAt: z.number() });
export type EarlierValue = z.infer<typeof EarlierValue>;

/** `ownerId` is whose it is, and of a team's who saved it last. `earlier` are its values before, latest first. */
export const StoredSecret = SecretInfo.extend({
  ownerId: z.string(),
  sealed: z.string(),
  earlier: z.array(EarlierValue).optional(),
});
export type StoredSecret = z.infer<typeof StoredSecret>;

/** A secret with its value, for the broker and the masker. */
export type OpenSecret = SecretInfo & {
  readonly value: string;
  /** Values that it had before, to be masked as the present one is. */
  readonly earlier?: readonly string[];
};

export type SealedValuesParts = {
  readonly secrets: Secrets;
  readonly now: () => number;
  /** Called with each value that is sealed or opened. */
  readonly known: (name: string, value: string) => void;
};

type Named = Pick<StoredSecret, "ownerId" | "name" | "scope">;

/** Seals and opens the values of stored secrets. */
export type SealedValues = {
  readonly seal: (secret: Named, value: string) => string;
  /** @throws AppError `secret_unreadable` */
  readonly open: (stored: StoredSecret) => OpenSecret;
  /** The value alone; undefined when it cannot be opened. */
  readonly valueIn: (sealed: Named & Pick<StoredSecret, "sealed">) => string | undefined;
  /** The values before, with the one that this value replaces; undefined: it stays. One that cannot be opened is left out. */
  readonly earlierWith: (
    old: StoredSecret | undefined,
    value: string | undefined,
    replacedAt: number,
  ) => EarlierValue[];
};

/** Values before the present one that are kept of a secret, and for how long. */
export const MAX_EARLIER = 8;
const EARLIER_MS = 365 * 24 * 3_600_000;

export function sealedValues({ secrets, now, known }: SealedValuesParts): SealedValues {
  /** By the sealed form, so that none is opened twice. */
  const opened = new Map<string, string>();
  const valueOf = (stored: Named & Pick<StoredSecret, "sealed">, sealed = stored.sealed) => {
    const value = opened.get(sealed) ?? secrets.unseal(recordOf(stored), sealed);
    opened.set(sealed, value);
    known(stored.name, value);
    return value;
  };
  const valueIn: SealedValues["valueIn"] = (stored) => {
    try {
      return valueOf(stored);
    } catch {
      return undefined;
    }
  };
  return {
    seal(secret, value) {
      known(secret.name, value);
      return secrets.seal(recordOf(secret), value);
    },
    open(stored) {
      const earlier = keptOf(stored, now()).map(({ sealed }) => valueOf(stored, sealed));
      return { ...infoOf(stored), value: valueOf(stored), ...(earlier.length === 0 ? {} : { earlier }) };
    },
    valueIn,
    earlierWith(old, value, replacedAt) {
      if (old === undefined || value === undefined) return old?.earlier ?? [];
      const before = [{ sealed: old.sealed, replacedAt }, ...keptOf(old, replacedAt)];
      const isOther = ({ sealed }: EarlierValue) => ![undefined, value].includes(valueIn({ ...old, sealed }));
      return before.filter(isOther).slice(0, MAX_EARLIER);
    },
  };
}

/** Values before that are not too old. */
export const keptOf = <Value extends EarlierValue>(
  { earlier = [] }: { readonly earlier?: readonly Value[] | undefined },
  now: number,
): readonly Value[] => earlier.filter(({ replacedAt }) => now - replacedAt < EARLIER_MS);

/** What lists show of it. */
export function infoOf({ sealed: _sealed, ownerId: _ownerId, earlier: _earlier, ...info }: StoredSecret): SecretInfo {
  return info;
}

/** Null for a user's own. */
export const teamOf = ({ scope }: Pick<StoredSecret, "scope">) => (scope.type === "team" ? scope.teamId : null);

/**
 * What a sealed value is bound to. No name has a blank, so no user's record reads as another's, and none begins as a
 * team's does.
 */
function recordOf({ ownerId, name, scope }: Pick<StoredSecret, "ownerId" | "name" | "scope">): string {
  const teamId = teamOf({ scope });
  return teamId === null ? `secret ${ownerId} ${name}` : `team-secret ${teamId} ${name}`;
}
