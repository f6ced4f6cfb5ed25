import type { Usage } from "@handrail/protocol/limits";
import type { ScriptedCall, Turn } from "./script.ts";

export type AnswerCall = { readonly id: string; readonly tool: string; readonly arguments: string };

/** A turn made ready for one request, in no wire format yet. `turn` counts from 1. */
export type Answer = {
  readonly id: string;
  readonly model: string;
  readonly turn: number;
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly AnswerCall[];
  readonly usage: Usage;
  readonly finish: "stop" | "calls" | "length" | "refusal";
  readonly chunkSize: number;
};

export type Question = { readonly model: string; readonly turn: number; readonly characters: number };

/** The answer to a question: templates filled in, ids given, usage guessed where the turn names none. */
export function answerOf(turn: Turn, question: Question): Answer {
  const reasoning = filled(turn.reasoning ?? "", question.turn);
  const text = filled(turn.text ?? "", question.turn);
  const calls = (turn.calls ?? []).map((call, index) => answerCall(call, question.turn, index));
  const said = reasoning.length + text.length + calls.reduce((sum, call) => sum + call.arguments.length, 0);
  return {
    id: `scripted-${question.turn}`,
    model: question.model,
    turn: question.turn,
    reasoning,
    text,
    calls,
    usage: usageOf(turn, question.characters, { said, reasoned: reasoning.length }),
    finish: turn.finish ?? (calls.length > 0 ? "calls" : "stop"),
    chunkSize: turn.chunkSize ?? 16,
  };
}

function usageOf(turn: Turn, asked: number, answer: { readonly said: number; readonly reasoned: number }): Usage {
  const given = turn.usage ?? {};
  return {
    inputTokens: given.inputTokens ?? tokens(asked),
    outputTokens: given.outputTokens ?? tokens(answer.said),
    cacheReadTokens: given.cacheReadTokens ?? 0,
    cacheWriteTokens: given.cacheWriteTokens ?? 0,
    reasoningTokens: given.reasoningTokens ?? tokens(answer.reasoned),
  };
}

function answerCall(call: ScriptedCall, turn: number, index: number): AnswerCall {
  const text = call.rawArguments ?? JSON.stringify(call.arguments ?? {});
  return { id: `call_${turn}_${index}`, tool: call.tool, arguments: filled(text, turn) };
}

function filled(text: string, turn: number): string {
  return text.replaceAll("{{turn}}", String(turn));
}

function tokens(characters: number): number {
  return Math.ceil(characters / 4);
}

/** `text` in pieces of at most `size` characters; a character is never cut in two. */
export function pieces(text: string, size: number): readonly string[] {
  const characters = Array.from(text);
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(""),
  );
}
