import type { TokenUsage } from "../ports/token-usage.ts";
import type { AnswerEvent, Finish, Problem } from "./prompt.ts";
import type { Seal } from "./seals.ts";

/** Reads a provider's stream. */
export type StreamReader = {
  /** What the data of one event says. */
  take(data: string): readonly AnswerEvent[];
  /** What the end of the bytes says, for formats that may end without a word. */
  close(): readonly AnswerEvent[];
};

/** Writes a client's stream. */
export type StreamWriter = {
  /** The bytes that an event makes, as text. */
  write(event: AnswerEvent): string;
};

/** A part of a gathered answer, in the order in which it began. */
export type AnswerPart =
  | { readonly type: "text" | "refusal"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string; readonly seal?: Seal }
  | { readonly type: "call"; readonly id: string; readonly name: string; readonly arguments: string };

/** A whole answer. */
export type Answer = {
  readonly id: string;
  readonly model: string;
  readonly parts: readonly AnswerPart[];
  readonly usage?: TokenUsage;
  /** Undefined while it has not ended. */
  readonly finish?: Finish;
  readonly sequence?: string;
  readonly problem?: Problem;
};

type Open = { type: AnswerPart["type"]; text: string; id: string; name: string; index: number; seal?: Seal };

/** The answer that the events make. */
export function gather(events: Iterable<AnswerEvent>): Answer {
  const answer: { -readonly [Key in keyof Answer]: Answer[Key] } = { id: "", model: "", parts: [] };
  const parts: Open[] = [];
  for (const event of events) {
    if (event.type === "start") Object.assign(answer, { id: event.id, model: event.model });
    else if (event.type === "usage") answer.usage = event.usage;
    else if (event.type === "error") answer.problem = event.problem;
    else if (event.type === "end") Object.assign(answer, ending(event));
    else grow(parts, event);
  }
  return { ...answer, parts: parts.map(closed) };
}

function ending({ finish, sequence }: Extract<AnswerEvent, { type: "end" }>): object {
  return { finish, ...(sequence === undefined ? {} : { sequence }) };
}

type PartEvent = Exclude<AnswerEvent, { type: "start" | "usage" | "error" | "end" }>;

function grow(parts: Open[], event: PartEvent): void {
  if (event.type === "call") {
    parts.push({ type: "call", text: "", id: event.id, name: event.name, index: event.index });
  } else if (event.type === "arguments") {
    const call = parts.findLast(({ type, index }) => type === "call" && index === event.index);
    if (call) call.text += event.delta;
  } else if (event.type === "seal") {
    growing(parts, "reasoning").seal = event.seal;
  } else {
    growing(parts, event.type).text += event.delta;
  }
}

/** The last part if it is of the type and not sealed, else a new one. */
function growing(parts: Open[], type: Open["type"]): Open {
  const last = parts.at(-1);
  if (last?.type === type && !last.seal) return last;
  const added = empty(type);
  parts.push(added);
  return added;
}

const empty = (type: Open["type"]): Open => ({ type, text: "", id: "", name: "", index: -1 });

function closed({ type, text, id, name, seal }: Open): AnswerPart {
  if (type === "call") return { type, id, name, arguments: text };
  if (type === "reasoning") return { type, text, ...(seal === undefined ? {} : { seal }) };
  return { type, text };
}
