import { resolve } from "node:path";
import type { OptionValues } from "./options.ts";

/** What the gateway does beside answering. */
export type GatewayConfig = {
  /** Whether secrets are taken out of requests, and further patterns of a file. */
  readonly redact: boolean;
  readonly patternsFile: string | undefined;
};

export function gatewayFrom({ gatewayRedact, gatewayRedactPatterns: patterns }: OptionValues): GatewayConfig {
  return {
    redact: gatewayRedact ?? patterns !== undefined,
    patternsFile: patterns === undefined ? undefined : resolve(patterns),
  };
}
