import type { Asked } from "./request.ts";
import type { ScriptedCall, ScriptedUsage, Turn } from "./script.ts";

export type AnswerCall = { readonly id: string; readonly tool: string; readonly arguments: string };

/** Every count that `ScriptedUsage` may leave out. */
export type AnswerUsage = Readonly<Record<keyof ScriptedUsage, number>>;

/** A turn made ready for one request, in no wire format yet. `turn` counts from 1. */
export type Answer = {
  readonly id: string;
  readonly model: string;
  readonly turn: number;
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly AnswerCall[];
  readonly usage: AnswerUsage;
  readonly finish: "stop" | "calls" | "length" | "refusal";
  readonly chunkSize: number;
  readonly asked: Asked;
};

export type Question = { readonly model: string; readonly turn: number; readonly asked: Asked };

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
    usage: usageOf(turn, question.asked.size, { said, reasoned: reasoning.length }),
    finish: turn.finish ?? (calls.length > 0 ? "calls" : "stop"),
    chunkSize: turn.chunkSize ?? 16,
    asked: question.asked,
  };
}

type Said = { readonly said: number; readonly reasoned: number };

function usageOf(turn: Turn, asked: number, answer: Said): AnswerUsage {
  return {
    inputTokens: tokens(asked),
    outputTokens: tokens(answer.said),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: tokens(answer.reasoned),
    inputAudioTokens: 0,
    outputAudioTokens: 0,
    ...(turn.usage as Partial<AnswerUsage>),
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
