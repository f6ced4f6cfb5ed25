import { resolve } from "node:path";
import type { OptionValues } from "./options.ts";

/** What the gateway does beside answering. */
export type GatewayConfig = {
  /** Whether secrets are taken out of requests, and further patterns of a file. */
  readonly redact: boolean;
  readonly patternsFile: string | undefined;
  /** Undefined: requests and answers are not kept. */
  readonly bodies: BodiesConfig | undefined;
};

/** How long requests and answers are kept, and how many bytes of one and of all. */
export type BodiesConfig = { readonly keepMs: number; readonly maxBytes: number; readonly maxTotalBytes: number };

export function gatewayFrom(values: OptionValues): GatewayConfig {
  const { gatewayRedact, gatewayRedactPatterns: patterns } = values;
  return {
    redact: gatewayRedact ?? patterns !== undefined,
    patternsFile: patterns === undefined ? undefined : resolve(patterns),
    bodies: bodiesFrom(values),
  };
}

function bodiesFrom({ gatewayBodies: keepMs, gatewayBodyMax, gatewayBodiesMax }: OptionValues) {
  if (keepMs === undefined) return undefined;
  return { keepMs, maxBytes: gatewayBodyMax ?? 256 * 1024, maxTotalBytes: gatewayBodiesMax ?? 1024 ** 3 };
}
