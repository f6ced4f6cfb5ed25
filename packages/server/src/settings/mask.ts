import { SHORTEST_SECRET } from "@handrail/core/secrets/secret-forms";
import { type SecretMasker, secretMasker } from "@handrail/core/secrets/secret-masker";

/** Takes secrets out of text that leaves the program. */
export type Mask = {
  /** Has `secret` masked from now on, as `[secret NAME]`; texts too short to be secrets are ignored. */
  add(secret: string | undefined, name?: string): void;
  text(text: string): string;
};

/** Knows secrets in the forms that they are written in. */
export function mask(): Mask {
  const names = new Map<string, string>();
  let masker: SecretMasker | undefined;
  return {
    add(secret, name = "key") {
      if (secret === undefined || secret.length < SHORTEST_SECRET || names.has(secret)) return;
      names.set(secret, name);
      masker = undefined;
    },
    text(text) {
      masker ??= secretMasker(Array.from(names, ([value, name]) => ({ name, value })));
      return masker.text(text);
    },
  };
}
