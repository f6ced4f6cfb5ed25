import { BooleanText } from "@handrail/protocol/option-texts";
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
} as const satisfies Record<string, Option>;
