import { AppError } from "@handrail/protocol/errors";
import { keyWeakness, RANDOM_KEY } from "../auth/key-weakness.ts";

/** A master key that somebody chose, and who may try to guess it. */
export type ChosenKey = {
  /** Undefined where none was chosen. */
  readonly key: string | undefined;
  /** Whether more than the programs of this machine can ask. */
  readonly exposed: boolean;
  /** Whether a weak one was allowed all the same. */
  readonly weakAllowed: boolean;
};

/** Sentences that do not say the key. */
export type WeakKey = { readonly detail: string; readonly remedy: string };

const REMEDY = `${RANDOM_KEY}.`;
const ALLOW = "To start all the same, set HANDRAIL_GATEWAY_WEAK_MASTER_KEY=true.";

/**
 * What to say of a master key that can be guessed, which its length alone prevents: wrong keys are not slowed down. Undefined of any
 * other.
 * @throws AppError `config_invalid` where others than this machine could guess it, unless that was allowed
 */
export function checkMasterKey({ key, exposed, weakAllowed }: ChosenKey): WeakKey | undefined {
  const weakness = key === undefined ? undefined : keyWeakness(key);
  if (weakness === undefined) return undefined;
  const detail = `The gateway's master key can be guessed: it ${weakness}.`;
  if (!exposed || weakAllowed) return { detail, remedy: REMEDY };
  const reason = `${detail} Others than this machine could try, so the gateway does not start.`;
  throw new AppError("config_invalid", `${reason} ${REMEDY} ${ALLOW}`);
}
