import { resolve } from "node:path";
import { bytesOf, millisecondsOf } from "@handrail/protocol/measures";
import { truthOf } from "@handrail/protocol/truth-of";
import type { GuardSettings } from "../guard/open-guard.ts";
import type { Option } from "./option.ts";
import { size, text, time, truth } from "./text-rules.ts";

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
  gatewayBodies: {
    env: ["HANDRAIL_GATEWAY_BODIES"],
    value: time,
    help: "How long requests and answers are kept, such as 7d. Default: they are not.",
  },
  gatewayBodyMax: {
    env: ["HANDRAIL_GATEWAY_BODY_MAX"],
    value: size,
    help: "Bytes of one of them; the rest is cut off. Default 256k.",
  },
  gatewayBodiesMax: {
    env: ["HANDRAIL_GATEWAY_BODIES_MAX"],
    value: size,
    help: "Bytes of all; the oldest go first. Default 1g.",
  },
} as const satisfies Readonly<Record<string, Option>>;

type Given = (name: keyof typeof GUARD_OPTIONS) => string | undefined;

/** `given`: the texts of options, valid ones. */
export function guardFrom(given: Given): GuardSettings {
  const [redact, patterns] = [given("gatewayRedact"), given("gatewayRedactPatterns")];
  return {
    redact: redact === undefined ? patterns !== undefined : truthOf(redact) === true,
    patternsFile: patterns === undefined ? undefined : resolve(patterns),
    bodies: bodiesFrom(given),
  };
}

function bodiesFrom(given: Given): GuardSettings["bodies"] {
  const keepMs = millisecondsOf(given("gatewayBodies") ?? "");
  const maxBytes = bytesOf(given("gatewayBodyMax") ?? "") ?? 256 * 1024;
  const maxTotalBytes = bytesOf(given("gatewayBodiesMax") ?? "") ?? 1024 ** 3;
  return keepMs === undefined ? undefined : { keepMs, maxBytes, maxTotalBytes };
}
