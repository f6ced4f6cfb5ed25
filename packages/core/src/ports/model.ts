import type { CallPart, ReasoningPart, TextPart } from "@handrail/protocol/content";
import type { EventOf } from "@handrail/protocol/events";
import type { Usage } from "@handrail/protocol/limits";

/** An image ready for a model's API. `data` is base64. */
export type ModelImage = { readonly type: "image"; readonly mediaType: string; readonly data: string };
export type ModelContent = TextPart | ModelImage;

/** A part that the model said; a call has no Handrail id of its own here. */
export type ModelPart = TextPart | ReasoningPart | Omit<CallPart, "callId">;

export type ModelMessage =
  | { readonly role: "user"; readonly content: readonly ModelContent[] }
  | { readonly role: "assistant"; readonly model: string; readonly content: readonly ModelPart[] }
  | {
      readonly role: "tool";
      readonly providerId: string;
      readonly tool: string;
      readonly content: readonly ModelContent[];
      readonly failed: boolean;
    };

/** A tool as the model sees it. `parameters` is a JSON Schema of an object. */
export type ModelTool = { readonly name: string; readonly description: string; readonly parameters: object };

/** One model call. The prefix (system, tools, earlier messages) is the same bytes from step to step. */
export type ModelRequest = {
  /** Names the conversation to providers that route or cache by it. */
  readonly conversationId: string;
  readonly system: string;
  readonly tools: readonly ModelTool[];
  readonly messages: readonly ModelMessage[];
  /** Cap on what the model says, reasoning included. */
  readonly maxOutputTokens: number;
};

export type ModelEnd = {
  readonly type: "end";
  readonly finish: Extract<EventOf<"step.ended">["finish"], "stop" | "calls" | "length" | "refusal">;
  /** Everything, whole and in order. */
  readonly content: readonly ModelPart[];
  readonly usage: Usage;
  /** US dollars; undefined when no price is known. */
  readonly costUsd: number | undefined;
  /** The model that answered, as its API names it. */
  readonly model: string;
};

export type ModelOutput =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "reasoning"; readonly delta: string }
  /** `index` tells calls of one answer apart; `tool` and `providerId` come with the first fragment of each. */
  | {
      readonly type: "call";
      readonly index: number;
      readonly tool?: string;
      readonly providerId?: string;
      readonly delta: string;
    }
  | ModelEnd;

/**
 * A language model. `stream` yields fragments and then exactly one `end`. It does not retry.
 * @throws AppError with a `model_…` code or `context_overflow`; `details.retryAfterMs` when the API named a wait; the
 * signal's reason when aborted
 */
export type Model = {
  readonly id: string;
  /** Input and output together, in tokens. */
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly images: boolean;
  /** True for the scripted model: shown as a demo wherever it is named. */
  readonly scripted: boolean;
  /** US dollars for a call of this size with nothing cached; undefined when no price is known. */
  price(usage: { readonly inputTokens: number; readonly outputTokens: number }): number | undefined;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelOutput>;
};
