import type { Deployment } from "./deployment.ts";
import type { TokenUsage } from "./token-usage.ts";

/** What calls cost. Everything is answered from memory; nothing is fetched. */
export type PriceList = {
  /** US dollars; undefined when no price is known. `tier` is what the provider calls the service that the call gets. */
  cost(deployment: Deployment, usage: TokenUsage, options?: { readonly tier?: string | undefined }): number | undefined;
  /** Input and output together, in tokens; undefined when unknown. */
  contextTokens(deployment: Deployment): number | undefined;
};
