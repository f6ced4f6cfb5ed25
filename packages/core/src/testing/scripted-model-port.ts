import type { AppError } from "@handrail/protocol/errors";
import { NO_USAGE, type Usage } from "@handrail/protocol/limits";
import type { Model, ModelEnd, ModelPart, ModelRequest } from "../ports/model.ts";

/** One answer of the scripted model, or its failure. `hang`: streams its text and then nothing until aborted. */
export type ScriptedTurn = {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly tool: string; readonly arguments: unknown }[];
  readonly finish?: ModelEnd["finish"];
  readonly usage?: Partial<Usage>;
  readonly costUsd?: number;
  readonly error?: AppError;
  readonly hang?: boolean;
};

export type ScriptedModelPort = Model & { readonly requests: readonly ModelRequest[] };

/** A `Model` that plays these turns, one a call, and notes what it was asked. For the loop's own tests. */
export function scriptedModel(turns: readonly ScriptedTurn[], change: Partial<Model> = {}): ScriptedModelPort {
  const requests: ModelRequest[] = [];
  return {
    id: "scripted",
    contextTokens: 100_000,
    maxOutputTokens: 8000,
    images: true,
    scripted: true,
    price: ({ inputTokens, outputTokens }) => (inputTokens + 5 * outputTokens) / 1_000_000,
    async *stream(request, signal) {
      const turn = turns[requests.length] ?? { text: "Nothing more is scripted." };
      requests.push({ ...request, messages: [...request.messages] });
      signal.throwIfAborted();
      const content = partsOf(turn, requests.length);
      for (const [index, part] of content.entries()) {
        if (part.type === "call") {
          yield { type: "call", index, tool: part.tool, providerId: part.providerId, delta: part.arguments };
        } else yield { type: part.type, delta: part.text };
      }
      if (turn.hang === true) await aborted(signal);
      if (turn.error !== undefined) throw turn.error;
      yield endOf(turn, content);
    },
    ...change,
    requests,
  };
}

function partsOf(turn: ScriptedTurn, number: number): ModelPart[] {
  const parts: ModelPart[] = [];
  if (turn.reasoning !== undefined) parts.push({ type: "reasoning", text: turn.reasoning });
  if (turn.text !== undefined) parts.push({ type: "text", text: turn.text });
  for (const [index, call] of (turn.calls ?? []).entries()) {
    const text = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
    parts.push({ type: "call", providerId: `call_${number}_${index}`, tool: call.tool, arguments: text });
  }
  return parts;
}

function endOf(turn: ScriptedTurn, content: readonly ModelPart[]): ModelEnd {
  return {
    type: "end",
    finish: turn.finish ?? (turn.calls === undefined ? "stop" : "calls"),
    content,
    usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10, ...turn.usage },
    costUsd: turn.costUsd ?? 0.001,
    model: "scripted",
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
