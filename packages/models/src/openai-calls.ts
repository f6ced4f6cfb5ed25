import type { ModelPart } from "@handrail/core/ports/model";
import type { Decoded } from "./dialect.ts";
import { at, countAt, type Json, textAt } from "./json.ts";
import { type Opaque, type Owner, tagged } from "./provider-data.ts";

type Slot = { index: number | undefined; id: string; tool: string; text: string; extra: Record<string, Opaque> };

/** Gathers the tool calls of one answer from their fragments. */
export type CallGatherer = {
  take(fragments: readonly Json[]): readonly Decoded[];
  parts(): readonly Extract<ModelPart, { type: "call" }>[];
};

const KNOWN = new Set(["index", "id", "type", "function"]);

/** Fragments belong together by `index`; where a server sends none, or one for all, a new id with a name starts a call. */
export function openAiCalls(owner: Owner, newId: () => string): CallGatherer {
  const slots: Slot[] = [];

  const slotOf = (fragment: Json): Slot | undefined => {
    const index = countAt(fragment, "index");
    const id = textAt(fragment, "id");
    const slot = index === undefined ? slots.at(-1) : slots.findLast((candidate) => candidate.index === index);
    const another = id !== "" && id !== slot?.id && textAt(fragment, "function", "name") !== "";
    return another ? undefined : slot;
  };
  const started = (fragment: Json): Slot => {
    const tool = textAt(fragment, "function", "name");
    const slot = {
      index: countAt(fragment, "index"),
      id: textAt(fragment, "id") || newId(),
      tool,
      text: "",
      extra: {},
    };
    slots.push(slot);
    return slot;
  };
  const take = (fragment: Json): Decoded => {
    const known = slotOf(fragment);
    const slot = known ?? started(fragment);
    const delta = argumentsOf(fragment);
    slot.text += delta;
    Object.assign(slot.extra, extraOf(fragment));
    const first = known ? {} : { tool: slot.tool, providerId: slot.id };
    return { type: "call", index: slots.indexOf(slot), ...first, delta };
  };
  return {
    take: (fragments) => fragments.map(take),
    parts: () => slots.map((slot) => part(slot, owner)),
  };
}

function part({ id, tool, text, extra }: Slot, owner: Owner): Extract<ModelPart, { type: "call" }> {
  const provider = Object.keys(extra).length === 0 ? {} : { provider: tagged(owner, extra) };
  return { type: "call", providerId: id, tool, arguments: text, ...provider };
}

/** Arguments are text; a few servers send the object itself. */
function argumentsOf(fragment: Json): string {
  const value = at(fragment, "function", "arguments");
  return typeof value === "object" && value !== null
    ? JSON.stringify(value)
    : textAt(fragment, "function", "arguments");
}

/** Fields that a server wants back with the call, such as a signature of the reasoning behind it. */
function extraOf(fragment: Json): Record<string, Opaque> {
  if (typeof fragment !== "object" || fragment === null) return {};
  const entries = Object.entries(fragment as Record<string, Opaque>);
  return Object.fromEntries(entries.filter(([key, value]) => !KNOWN.has(key) && value !== null && key !== "__proto__"));
}
