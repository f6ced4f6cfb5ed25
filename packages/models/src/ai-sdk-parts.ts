import type { ModelPart } from "@handrail/core/ports/model";
import { type Opaque, type Owner, tagged } from "./provider-data.ts";

export type PartType = "text" | "reasoning" | "call";

type Gathered = {
  readonly type: PartType;
  readonly id: string;
  readonly tool: string;
  text: string;
  readonly metadata: Record<string, Opaque>;
};

/** Gathers the parts of one answer, which an AI SDK provider names by type and id. */
export type PartGatherer = {
  has(type: PartType, id: string): boolean;
  start(type: PartType, id: string, tool?: string): void;
  append(type: PartType, id: string, delta: string): void;
  /** Replaces what was gathered of a call by its whole input. */
  complete(id: string, input: string): void;
  /** What the provider wants back with the part. */
  remember(type: PartType, id: string, metadata: object | undefined): void;
  /** Which call of the answer it is, from 0; -1 for an unknown one. */
  callIndex(id: string): number;
  content(owner: Owner): readonly ModelPart[];
};

export function partGatherer(): PartGatherer {
  const gathered: Gathered[] = [];
  const find = (type: PartType, id: string) => gathered.findLast((part) => part.type === type && part.id === id);
  return {
    has: (type, id) => find(type, id) !== undefined,
    start(type, id, tool = "") {
      gathered.push({ type, id, tool, text: "", metadata: {} });
    },
    append(type, id, delta) {
      const part = find(type, id);
      if (part) part.text += delta;
    },
    complete(id, input) {
      const part = find("call", id);
      if (part) part.text = input;
    },
    remember(type, id, metadata) {
      Object.assign(find(type, id)?.metadata ?? {}, metadata);
    },
    callIndex: (id) => gathered.filter(({ type }) => type === "call").findLastIndex((part) => part.id === id),
    content: (owner) => gathered.flatMap((part) => modelPart(part, owner)),
  };
}

function modelPart({ type, id, tool, text, metadata }: Gathered, owner: Owner): readonly ModelPart[] {
  const provider = Object.keys(metadata).length === 0 ? {} : { provider: tagged(owner, metadata) };
  if (type === "call") return [{ type, providerId: id, tool, arguments: text, ...provider }];
  if (type === "text") return text === "" ? [] : [{ type, text }];
  return text === "" && !("provider" in provider) ? [] : [{ type, text, ...provider }];
}
