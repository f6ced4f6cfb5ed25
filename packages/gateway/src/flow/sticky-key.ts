import { at, listAt, textAt } from "@handrail/models/json";
import type { Group } from "../ports/deployment.ts";
import type { Call } from "./call.ts";

const MAX_CHARACTERS = 4096;
/** Providers cache prompts from about a thousand tokens on. */
const WORTH_CACHING = 4096;

/**
 * What calls of one conversation have in common; undefined where their place does not matter. A conversation that is named stays at its
 * place whatever the strategy is; one that is only known by how it begins does so where the load is shared by weight.
 */
export function stickyKey({ asked, caller }: Pick<Call, "asked" | "caller">, group: Group): string | undefined {
  if (group.deployments.length < 2) return undefined;
  const named = asked.session ?? caller.key.conversationId;
  if (named !== undefined) return `${caller.key.id} ${named}`;
  return group.strategy === "weighted" && asked.body.length >= WORTH_CACHING ? beginning(asked.parsed) : undefined;
}

/** The system's text and the first thing that was said. */
function beginning(parsed: Readonly<Record<string, unknown>>): string | undefined {
  const turns = [...listAt(parsed, "messages"), ...listAt(parsed, "input")]
    .slice(0, 2)
    .map((turn) => at(turn, "content"));
  const system = at(parsed, "system") ?? textAt(parsed, "instructions");
  const text = JSON.stringify([short(system), ...turns.map(short)]).slice(0, MAX_CHARACTERS);
  return turns.length === 0 ? undefined : text;
}

function short(value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, MAX_CHARACTERS);
  return Array.isArray(value)
    ? value.slice(0, 2).map((part) => textAt(part, "text").slice(0, MAX_CHARACTERS))
    : undefined;
}
