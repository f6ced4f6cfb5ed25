import { BooleanText, SizeText, TimeText } from "@handrail/protocol/option-texts";
import { z } from "zod";
import type { Option } from "./option.ts";

/** Settings of the model gateway. */
export const GATEWAY_OPTIONS = {
  gatewayRedact: {
    env: ["HANDRAIL_GATEWAY_REDACT"],
    value: BooleanText,
    help: "Take secrets of usual formats out of requests to models. Default false.",
  },
  gatewayRedactPatterns: {
    env: ["HANDRAIL_GATEWAY_REDACT_PATTERNS"],
    value: z.string().min(1).max(4096),
    help: "File of further patterns that are taken out, one regular expression a line.",
  },
  gatewayBodies: {
    env: ["HANDRAIL_GATEWAY_BODIES"],
    value: TimeText,
    help: "How long requests to models and their answers are kept, such as 7d. Default: they are not.",
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
