/** What a LiteLLM behind says in its headers of what a call cost. */
export type HeaderFacts = { readonly costUsd: number | undefined; readonly callId: string | undefined };

const MAX_USD = 1_000_000;

/** It says 0 where it sent the headers before it knew the price, so 0 is no price. */
export function headerFacts(headers: Readonly<Record<string, string>>): HeaderFacts {
  const cost = Number(headers["x-litellm-response-cost"] ?? Number.NaN);
  return {
    costUsd: cost > 0 && cost < MAX_USD ? cost : undefined,
    callId: headers["x-litellm-call-id"]?.slice(0, 128),
  };
}
