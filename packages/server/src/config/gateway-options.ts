import { BooleanText, SizeText, TimeText } from "@handrail/protocol/option-texts";
import { z } from "zod";
import type { Option } from "./option.ts";

/** Settings of the model gateway. */
export const GATEWAY_OPTIONS = {
  gatewayConfig: {
    env: ["HANDRAIL_GATEWAY_CONFIG"],
    value: z.string().min(1).max(4096),
    help: "A config.yaml of LiteLLM for the model gateway: models, routing, cache, master key.",
  },
  gatewayWeakMasterKey: {
    env: ["HANDRAIL_GATEWAY_WEAK_MASTER_KEY"],
    value: BooleanText,
    help: "Start also where others reach a gateway whose master key can be guessed. Default false.",
  },
  gatewayDatabaseUrl: {
    env: ["HANDRAIL_GATEWAY_DATABASE_URL"],
    value: z
      .string()
      .max(4096)
      .regex(/^postgres(?:ql)?:\/\//, "must begin with postgres://"),
    help: "PostgreSQL for keys, limits and spend. Default: SQLite in the state directory.",
    secret: true,
  },
  gatewayRedisUrl: {
    env: ["HANDRAIL_GATEWAY_REDIS_URL"],
    value: z
      .string()
      .max(4096)
      .regex(/^rediss?:\/\//, "must begin with redis://"),
    help: "Redis for answers of models that are kept. Default: memory.",
    secret: true,
  },
  gatewayLimits: {
    env: ["HANDRAIL_GATEWAY_LIMITS"],
    value: z.enum(["books", "redis"]),
    help: "Where limits are counted: books, or redis before them; that needs both addresses. Default books.",
  },
  gatewayRedact: {
    env: ["HANDRAIL_GATEWAY_REDACT"],
    value: BooleanText,
    help: "Take secrets of usual formats out of requests to models. Default: false, true with patterns.",
  },
  gatewayRedactPatterns: {
    env: ["HANDRAIL_GATEWAY_REDACT_PATTERNS"],
    value: z.string().min(1).max(4096),
    help: "File of further patterns that are taken out, one regular expression a line.",
  },
  gatewayBodies: {
    env: ["HANDRAIL_GATEWAY_BODIES"],
    value: TimeText,
    help: "How long requests to models and their answers are kept, such as 7d. Default: not at all.",
  },
  gatewayBodyMax: {
    env: ["HANDRAIL_GATEWAY_BODY_MAX"],
    value: SizeText,
    help: "Bytes of one of them; the rest is cut off. Default 256k.",
  },
  gatewayBodiesMax: {
    env: ["HANDRAIL_GATEWAY_BODIES_MAX"],
    value: SizeText,
    help: "Bytes of all of them; the oldest go first. Default 1g.",
  },
} as const satisfies Record<string, Option>;
