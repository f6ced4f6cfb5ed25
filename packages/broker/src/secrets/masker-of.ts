import { secretMasker, type SecretMasker } from "@handrail/core/secrets/secret-masker";
import type { HeldSecret } from "./held-secret.ts";

const MAX_KNOWN = 32;

/** By name and value; the one that was used last is the last. */
const known = new Map<string, SecretMasker>();

/** The masker of these secrets. Making one takes long where a value is: those that were used last are kept. */
export function maskerOf(secrets: readonly HeldSecret[]): SecretMasker {
  const key = JSON.stringify(secrets.map(({ name, value }) => [name, value]));
  const masker = known.get(key) ?? secretMasker(secrets);
  known.delete(key);
  known.set(key, masker);
  for (const oldest of known.keys()) if (known.size > MAX_KNOWN) known.delete(oldest);
  return masker;
}
