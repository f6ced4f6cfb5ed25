import type { EmbeddingModelV4, EmbeddingModelV4Result } from "@ai-sdk/provider";
import { ANY, type FieldTable, known, list, one, refuse, text } from "../codecs/refuse.ts";
import { FOR_GATEWAY } from "../codecs/gateway-fields.ts";
import { openAiProblem } from "../codecs/problems.ts";
import type { LaneAnswer, LaneCall, Meter } from "../ports/lane.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import { refusedOf } from "../sdk/sdk-problem.ts";
import type { Idle } from "./idle.ts";

const FIELDS: FieldTable = {
  read: ["model", "input", "dimensions", "encoding_format"],
  harmless: { ...FOR_GATEWAY, user: ANY, metadata: ANY, stream: one(false) },
};

/** Embeddings in OpenAI's format from a model of the AI SDK. @throws AppError `request_unsupported` */
export async function embed(model: EmbeddingModelV4, call: LaneCall, limit: Idle): Promise<LaneAnswer> {
  const { parsed } = call;
  known(parsed, FIELDS, "");
  const values = valuesOf(parsed["input"]);
  try {
    const results = await embedAll(model, values, optionsOf(call, limit));
    const tokens = tokensOf(results);
    return jsonAnswer(200, bodyOf(results, call, tokens ?? estimate(values)), meterOf(tokens));
  } catch (thrown) {
    limit.signal.throwIfAborted();
    const { problem, headers } = refusedOf(thrown, call);
    return { ...jsonAnswer(problem.status, { error: openAiProblem(problem) }, meterOf(undefined)), headers };
  } finally {
    limit.end();
  }
}

function valuesOf(input: unknown): readonly string[] {
  if (typeof input === "string") return [input];
  return list(input, "input").map((value, index) => {
    if (typeof value !== "string") refuse(`input[${index}]`, "This model's API takes only texts.");
    return text(value, `input[${index}]`);
  });
}

type Options = {
  readonly abortSignal: AbortSignal;
  readonly dimensions?: number;
  readonly headers?: Record<string, string>;
};

function optionsOf({ parsed, trace }: LaneCall, { signal }: Idle): Options {
  const { dimensions } = parsed;
  return {
    abortSignal: signal,
    ...(typeof dimensions === "number" ? { dimensions } : {}),
    ...(trace && { headers: { ...trace } }),
  };
}

/** As many calls as the provider's limit for one makes it need. */
async function embedAll(
  model: EmbeddingModelV4,
  values: readonly string[],
  options: Options,
): Promise<readonly EmbeddingModelV4Result[]> {
  const most = (await model.maxEmbeddingsPerCall) ?? Number.POSITIVE_INFINITY;
  const size = Math.min(most, Math.max(1, values.length));
  const results: EmbeddingModelV4Result[] = [];
  for (let at = 0; at < values.length; at += size) {
    const result = await model.doEmbed({ values: values.slice(at, at + size), ...options });
    const ignored = result.warnings.find((warning) => warning.type === "unsupported");
    if (ignored) refuse("feature" in ignored ? ignored.feature : "input");
    results.push(result);
  }
  return results;
}

function tokensOf(results: readonly EmbeddingModelV4Result[]): number | undefined {
  const sum = results.reduce((sum, { usage }) => sum + (usage?.tokens ?? Number.NaN), 0);
  return results.length > 0 && Number.isFinite(sum) ? sum : undefined;
}

/** For the client, where the provider counts nothing; the meter says that it did not. */
function estimate(values: readonly string[]): number {
  return Math.ceil(values.reduce((sum, { length }) => sum + length, 0) / 4);
}

function bodyOf(results: readonly EmbeddingModelV4Result[], call: LaneCall, tokens: number): object {
  const base64 = call.parsed["encoding_format"] === "base64";
  const data = results
    .flatMap(({ embeddings }) => embeddings)
    .map((vector, index) => ({ object: "embedding", index, embedding: base64 ? base64Of(vector) : vector }));
  return { object: "list", data, model: call.model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

/** 32-bit floats, as OpenAI sends them. */
function base64Of(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}

function meterOf(tokens: number | undefined): Meter {
  return {
    usage: () => (tokens === undefined ? undefined : { ...NO_TOKENS, inputTokens: tokens }),
    reportedCostUsd: () => undefined,
    characters: () => 0,
    upstreamId: () => undefined,
    model: () => undefined,
    complete: () => true,
  };
}

function jsonAnswer(status: number, body: object, meter: Meter): LaneAnswer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(body)),
    meter,
    lane: "sdk",
    warnings: [],
  };
}
