import { resolve } from "node:path";
import type { OptionValues } from "./options.ts";

/** What the gateway serves and where it keeps what outlives calls, as far as it is set, and what it does beside answering. */
export type GatewayConfig = {
  /** A `config.yaml` of LiteLLM. */
  readonly file: string | undefined;
  /** Whether a master key that can be guessed is allowed where others reach the server. */
  readonly weakMasterKey: boolean;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly limits: "books" | "redis";
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
    file: values.gatewayConfig === undefined ? undefined : resolve(values.gatewayConfig),
    weakMasterKey: values.gatewayWeakMasterKey ?? false,
    databaseUrl: values.gatewayDatabaseUrl,
    redisUrl: values.gatewayRedisUrl,
    limits: values.gatewayLimits ?? "books",
    redact: gatewayRedact ?? patterns !== undefined,
    patternsFile: patterns === undefined ? undefined : resolve(patterns),
    bodies: bodiesFrom(values),
  };
}

function bodiesFrom({ gatewayBodies: keepMs, gatewayBodyMax, gatewayBodiesMax }: OptionValues) {
  if (keepMs === undefined) return undefined;
  return { keepMs, maxBytes: gatewayBodyMax ?? 256 * 1024, maxTotalBytes: gatewayBodiesMax ?? 1024 ** 3 };
}
