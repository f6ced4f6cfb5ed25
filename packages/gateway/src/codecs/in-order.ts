import { parseJson } from "@handrail/models/json";
import type { AnswerEvent } from "./prompt.ts";

/** Makes the pieces of each call follow one another. What comes in between waits until the call's arguments are whole. */
export type InOrder = {
  take(event: AnswerEvent): readonly AnswerEvent[];
};

type State = {
  /** The call whose arguments are being given; -1 for none. */
  open: number;
  text: string;
  waiting: AnswerEvent[];
};

/** For formats whose blocks are one after another, such as Messages. */
export function inOrder(): InOrder {
  const state: State = { open: -1, text: "", waiting: [] };
  return {
    take(event) {
      if (state.waiting.length === 0 && free(state, event)) return [pass(state, event)];
      state.waiting.push(event);
      return event.type === "end" || event.type === "error" ? drain(state, true) : drain(state, false);
    },
  };
}

/** Whether the event may be given now. */
function free(state: State, event: AnswerEvent): boolean {
  if (state.open < 0 || event.type === "usage") return true;
  if (event.type === "arguments" && event.index === state.open) return true;
  return parseJson(state.text) !== undefined;
}

function pass(state: State, event: AnswerEvent): AnswerEvent {
  if (event.type === "call") Object.assign(state, { open: event.index, text: "" });
  else if (event.type === "arguments") state.text += event.delta;
  else if (event.type !== "usage") state.open = -1;
  return event;
}

/** What can be given by now: all of the open call, and then, if it is whole or at the end, what waited. */
function drain(state: State, ended: boolean): readonly AnswerEvent[] {
  const given: AnswerEvent[] = [];
  while (state.waiting.length > 0) {
    const own = state.waiting.findIndex((event) => event.type === "arguments" && event.index === state.open);
    const next = own >= 0 ? own : firstFree(state, ended);
    if (next < 0) break;
    given.push(...state.waiting.splice(next, 1).map((event) => pass(state, event)));
  }
  return given;
}

function firstFree(state: State, ended: boolean): number {
  const [first] = state.waiting;
  return first !== undefined && (ended || free(state, first)) ? 0 : -1;
}
