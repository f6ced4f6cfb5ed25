import type { ReasoningPart } from "@handrail/protocol/content";

export type Opaque = Exclude<ReasoningPart["provider"], undefined>;

/** Whom opaque data belongs to. It goes back only to the same dialect and model. */
export type Owner = { readonly dialect: string; readonly model: string };

/** Opaque data of an API, as the log keeps it. */
export function tagged({ dialect, model }: Owner, data: Opaque): Opaque {
  return { dialect, model, data };
}

/** The data as the API gave it, or undefined when another dialect or model gave it. */
export function ownData({ dialect, model }: Owner, provider: Opaque | undefined): Opaque | undefined {
  if (typeof provider !== "object" || provider === null || Array.isArray(provider)) return undefined;
  if (provider["dialect"] !== dialect || provider["model"] !== model) return undefined;
  return provider["data"];
}
