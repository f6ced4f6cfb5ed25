import { parseJson, textAt } from "@handrail/models/json";
import type { StreamReader } from "./answer.ts";
import { garbled } from "./chat-answer-read.ts";
import type { AnswerEvent } from "./prompt.ts";
import { row } from "./refuse.ts";

/** What each type of event says, beside what was read before. Other types say nothing. */
export type EventHandlers<State> = Readonly<Record<string, (event: unknown, state: State) => readonly AnswerEvent[]>>;

/** Reads a stream whose events name their type. */
export function typedReader<State>(handlers: EventHandlers<State>, state: State): StreamReader {
  return {
    take(data) {
      const event = parseJson(data);
      if (event === undefined) return [garbled];
      return row(handlers, textAt(event, "type"))?.(event, state) ?? [];
    },
    close: () => [],
  };
}
