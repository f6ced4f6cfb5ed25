import type { TokenUsage } from "../ports/token-usage.ts";
import type { Seal } from "./seals.ts";

/** Where a provider's prompt cache may end, as Anthropic and LiteLLM put it: `{ type: "ephemeral", ttl? }`. Opaque. */
export type CacheMark = Readonly<Record<string, unknown>>;

type Marked = { readonly cache?: CacheMark };

export type Text = Marked & { readonly type: "text"; readonly text: string };

/** Bytes in base64, a place to fetch them from, or a provider's own id for them. */
export type Source =
  | { readonly kind: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "id"; readonly id: string };

export type Image = Marked & { readonly type: "image"; readonly source: Source; readonly detail?: string };
export type File = Marked & { readonly type: "file"; readonly source: Source; readonly name?: string };
export type Audio = { readonly type: "audio"; readonly data: string; readonly format: string };

/** What a model thought. Without a seal no provider takes it back as its own. */
export type Reasoning = { readonly type: "reasoning"; readonly text: string; readonly seal?: Seal };
export type Refusal = { readonly type: "refusal"; readonly text: string };

/** `arguments` is the model's own text, never parsed and written again. */
export type Call = Marked & {
  readonly type: "call";
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
};

export type Content = Text | Image | File;
export type Result = Marked & {
  readonly type: "result";
  readonly callId: string;
  readonly content: readonly Content[];
  readonly failed: boolean;
};

export type Part = Content | Audio | Reasoning | Refusal | Call | Result;

/** Results are parts of the user's turns. `system` is one that comes after the conversation has begun. */
export type Turn = { readonly role: "user" | "assistant" | "system"; readonly parts: readonly Part[] };

export type Tool = Marked & {
  readonly name: string;
  readonly description?: string;
  /** A JSON Schema, as it came. */
  readonly parameters: unknown;
  readonly strict?: boolean;
};

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export type OutputFormat =
  | { readonly type: "json" }
  | {
      readonly type: "schema";
      readonly schema: unknown;
      readonly name?: string;
      readonly description?: string;
      readonly strict?: boolean;
    };

/** How hard to think: a word, a number of tokens, or as the model likes. */
export type Thinking = {
  readonly effort?: string;
  readonly budget?: number;
  readonly mode?: "adaptive" | "disabled";
  readonly summary?: string;
};

/** Options that are one plain value in every format that knows them. */
export const OPTIONS = [
  "maxTokens",
  "temperature",
  "topP",
  "topK",
  "stop",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "user",
  "metadata",
  "serviceTier",
  "cacheKey",
  "verbosity",
  "parallel",
] as const;
export type Option = (typeof OPTIONS)[number];

/** A request in no format: what the codecs translate through. */
export type Prompt = {
  readonly model: string;
  readonly streamed: boolean;
  /** Whether a client of Chat wants usage in its stream. */
  readonly usageAsked: boolean;
  readonly system: readonly Text[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly output?: OutputFormat;
  readonly thinking?: Thinking;
  readonly options: Readonly<Partial<Record<Option, unknown>>>;
};

/** Why an answer ended. `sequence`: at one of the client's stop sequences. `overflow`: the window was full. */
export type Finish = "stop" | "calls" | "length" | "filter" | "sequence" | "overflow" | "pause";

/** What comes of an answer, in no format. A `seal` ends the reasoning before it; calls are numbered from 0. */
export type AnswerEvent =
  | { readonly type: "start"; readonly id: string; readonly model: string }
  | { readonly type: "text" | "reasoning" | "refusal"; readonly delta: string }
  | { readonly type: "seal"; readonly seal: Seal }
  | { readonly type: "call"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: "arguments"; readonly index: number; readonly delta: string }
  | { readonly type: "usage"; readonly usage: TokenUsage; readonly costUsd?: number; readonly tier?: string }
  | { readonly type: "end"; readonly finish: Finish; readonly sequence?: string }
  | { readonly type: "error"; readonly problem: Problem };

/** What a provider said instead of an answer, or in the middle of one. */
export type Problem = {
  /** Of HTTP; 0 in the middle of a stream. */
  readonly status: number;
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
};
