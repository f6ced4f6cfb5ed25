import type { SecretUse } from "@handrail/protocol/secrets";

/** A secret as the broker holds it for one sandbox. `placeholder` stands for the value inside, where there is one. */
export type HeldSecret = {
  readonly name: string;
  readonly value: string;
  readonly use: SecretUse;
  readonly placeholder: string | undefined;
};
