import { createHash } from "node:crypto";
import type { Answer } from "./answer.ts";
import { googleError } from "./google-format.ts";
import { openAiError } from "./openai-format.ts";
import type { WireFormat } from "./wire-format.ts";

const DIMENSIONS = 32;

/** OpenAI Embeddings (platform.openai.com/docs/api-reference/embeddings). The same input always has the same vector. */
export const embeddingsFormat: WireFormat = {
  events: () => [],
  whole: (answer) => {
    const { body } = answer.asked;
    const base64 = body["encoding_format"] === "base64";
    const data = inputs(body["input"]).map((input, index) => {
      const vector = scriptedVector(input, Number(body["dimensions"] ?? DIMENSIONS));
      return { object: "embedding", index, embedding: base64 ? base64Of(vector) : vector };
    });
    const { inputTokens } = answer.usage;
    const usage = { prompt_tokens: inputTokens, total_tokens: inputTokens };
    return { object: "list", data, model: answer.model, usage };
  },
  error: openAiError,
  errorEvent: () => "",
};

/** Google's `embedContent` (ai.google.dev/api/embeddings). */
export const googleEmbedFormat: WireFormat = {
  events: () => [],
  whole: ({ asked }) => ({ embedding: { values: googleVector(asked.body) } }),
  error: googleError,
  errorEvent: () => "",
};

/** Google's `batchEmbedContents`. */
export const googleBatchFormat: WireFormat = {
  ...googleEmbedFormat,
  whole: ({ asked }) => ({
    embeddings: listOf(asked.body["requests"]).map((request) => ({ values: googleVector(request) })),
  }),
};

/** Vertex' `predict` of an embedding model, and what it counted. */
export const vertexPredictFormat: WireFormat = {
  ...googleEmbedFormat,
  whole: (answer) => ({ predictions: predictions(answer) }),
};

function predictions({ asked, usage }: Answer): readonly object[] {
  const instances = listOf(asked.body["instances"]);
  const parameters = (asked.body["parameters"] ?? {}) as { outputDimensionality?: number };
  return instances.map(({ content }) => ({
    embeddings: {
      values: scriptedVector(content, parameters.outputDimensionality ?? DIMENSIONS),
      statistics: { token_count: Math.ceil(usage.inputTokens / instances.length), truncated: false },
    },
  }));
}

function googleVector(request: Readonly<Record<string, unknown>>): readonly number[] {
  const content = request["content"] as { parts?: readonly { text?: string }[] } | undefined;
  const text = (content?.parts ?? []).map((part) => part.text ?? "").join("");
  return scriptedVector(text, Number(request["outputDimensionality"] ?? DIMENSIONS));
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as Readonly<Record<string, unknown>>[]) : [];
}

/** A list of texts or token lists is several inputs; a list of numbers is one. */
function inputs(input: unknown): readonly unknown[] {
  return Array.isArray(input) && typeof input[0] !== "number" ? input : [input];
}

/** A vector of length 1 that depends on the input alone. Its numbers are 32-bit floats. */
export function scriptedVector(input: unknown, dimensions: number): readonly number[] {
  const raw = Array.from({ length: Math.min(dimensions, 4096) }, (_, index) => component(input, index));
  const length = Math.hypot(...raw);
  return raw.map((value) => Math.fround(value / length));
}

function component(input: unknown, index: number): number {
  const digest = createHash("sha256")
    .update(`${index} ${JSON.stringify(input)}`)
    .digest();
  return digest.readInt32BE(0) / 2 ** 31;
}

function base64Of(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
