import { resolve } from "node:path";
import { truthOf } from "@handrail/protocol/truth-of";
import type { GuardSettings } from "../guard/open-guard.ts";
import type { Option } from "./option.ts";
import { text, truth } from "./text-rules.ts";

/** What is looked at and kept of requests. */
export const GUARD_OPTIONS = {
  gatewayRedact: {
    env: ["HANDRAIL_GATEWAY_REDACT"],
    value: truth,
    help: "true takes secrets of usual formats out of requests.",
  },
  gatewayRedactPatterns: {
    env: ["HANDRAIL_GATEWAY_REDACT_PATTERNS"],
    value: text(4096),
    help: "File of further patterns, one regular expression a line.",
  },
} as const satisfies Readonly<Record<string, Option>>;

/** `given`: the texts of options, valid ones. */
export function guardFrom(given: (name: keyof typeof GUARD_OPTIONS) => string | undefined): GuardSettings {
  const [redact, patterns] = [given("gatewayRedact"), given("gatewayRedactPatterns")];
  return {
    redact: redact === undefined ? patterns !== undefined : truthOf(redact) === true,
    patternsFile: patterns === undefined ? undefined : resolve(patterns),
  };
}
