import type { LanguageModelV4StreamPart, SharedV4Warning } from "@ai-sdk/provider";
import { AppError } from "@handrail/protocol/errors";
import { CODECS } from "../codecs/codec.ts";
import { NAMES } from "../codecs/options.ts";
import type { AnswerEvent, Option } from "../codecs/prompt.ts";
import { refuse, row } from "../codecs/refuse.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { Lane, LaneAnswer, LaneCall } from "../ports/lane.ts";
import { sdkCall } from "../sdk/sdk-options.ts";
import { refusedOf } from "../sdk/sdk-problem.ts";
import { sdkReader } from "../sdk/sdk-events.ts";
import type { LoadSdk } from "../sdk/sources.ts";
import { type Answering, problemAnswer, streamedAnswer, wholeAnswer } from "./answers.ts";
import { eventMeter } from "./event-meter.ts";
import { exactRequest } from "./exact-request.ts";
import { headersFor } from "./headers.ts";
import { type Idle, idleLimit } from "./idle.ts";
import { embed } from "./sdk-embeddings.ts";

export type SdkLaneOptions = {
  readonly load: LoadSdk;
  /** Unix milliseconds. */
  readonly now?: () => number;
};

/**
 * Calls a model through its AI SDK provider, at the level of the specification. Whole answers are gathered from a stream too:
 * what a provider says it ignores of a request is known at the stream's start, before an answer is paid for.
 */
export function sdkLane({ load, now = Date.now }: SdkLaneOptions): Lane {
  return async (call, signal) => {
    signal.throwIfAborted();
    const limit = idleLimit(call.deployment, signal, call.streamed);
    try {
      const models = await load(call.deployment);
      const streaming = { call, limit, created: Math.floor(now() / 1000) };
      call.sent?.();
      if (call.format === "embeddings") return await embed(models.embedding(call.model), call, limit);
      return await answer(models.language(call.model), call.format, streaming);
    } catch (thrown) {
      limit.end();
      limit.signal.throwIfAborted();
      throw thrown;
    }
  };
}

type Streaming = { readonly call: LaneCall; readonly limit: Idle; readonly created: number };
type Model = ReturnType<Awaited<ReturnType<LoadSdk>>["language"]>;

async function answer(model: Model, format: ChatFormat, { call, limit, created }: Streaming): Promise<LaneAnswer> {
  const warnings = new Set<string>();
  const prompt = CODECS[format].readRequest(exactRequest(call));
  const { provider, maxOutputTokens } = call.deployment;
  const options = sdkCall(prompt, { provider, model: call.model, maxOutputTokens, from: format, warnings });
  const answering = (headers: Readonly<Record<string, string>>): Answering => ({
    call,
    format,
    client: { usageAsked: prompt.usageAsked, created },
    meter: eventMeter(headers),
    lane: "sdk",
    headers: headersFor(headers),
    warnings: [...warnings],
  });
  try {
    const { stream, response } = await model.doStream({
      ...options,
      abortSignal: limit.signal,
      ...(call.trace && { headers: { ...call.trace } }),
    });
    const parts = stream[Symbol.asyncIterator]();
    const first = await begin(parts, format, warnings);
    const batches = batchesOf(first, parts, { call, limit });
    const known = answering(response?.headers ?? {});
    return call.streamed ? await streamedAnswer(known, batches) : wholeAnswer(known, await gathered(batches));
  } catch (thrown) {
    limit.signal.throwIfAborted();
    const { problem, headers } = refusedOf(thrown, call);
    limit.end();
    return problemAnswer({ ...answering({}), headers }, problem);
  }
}

async function gathered(batches: AsyncIterable<readonly AnswerEvent[]>): Promise<readonly AnswerEvent[]> {
  return (await Array.fromAsync(batches)).flat();
}

type Parts = AsyncIterator<LanguageModelV4StreamPart>;

/** The first part, which says what of the request is ignored. @throws AppError `request_unsupported` */
async function begin(
  parts: Parts,
  format: ChatFormat,
  warnings: Set<string>,
): Promise<IteratorResult<LanguageModelV4StreamPart>> {
  const first = await parts.next();
  if (first.done || first.value.type !== "stream-start") return first;
  const ignored = first.value.warnings.find(({ type }) => type === "unsupported");
  if (ignored) {
    await parts.return?.();
    refuseIgnored(ignored, format);
  }
  for (const warning of first.value.warnings) warnings.add(sentenceOf(warning));
  return first;
}

/** In the client's own words where the specification's option has any. */
function refuseIgnored(warning: SharedV4Warning, format: ChatFormat): never {
  const feature = "feature" in warning ? warning.feature : "";
  const name = row(NAMES[format], row(OPTION_OF, feature) ?? feature)?.[0] ?? feature;
  return refuse(name, ("details" in warning ? warning.details : undefined) ?? "The model does not support it.");
}

const OPTION_OF: Readonly<Record<string, Option>> = { maxOutputTokens: "maxTokens", stopSequences: "stop" };

function sentenceOf(warning: SharedV4Warning): string {
  if ("message" in warning) return warning.message;
  return `${warning.feature}: ${warning.details ?? warning.type}`;
}

/** The events of each part. @throws AppError `model_stream_broken` when the stream stops before its end */
async function* batchesOf(
  first: IteratorResult<LanguageModelV4StreamPart>,
  parts: Parts,
  { call, limit }: Pick<Streaming, "call" | "limit">,
): AsyncGenerator<readonly AnswerEvent[]> {
  const reader = sdkReader(call.model);
  let ended = false;
  try {
    for (let part = first; !part.done; part = await parts.next()) {
      limit.touch();
      const events = reader.take(part.value);
      ended ||= events.some(({ type }) => type === "end");
      yield events;
    }
    if (!ended) throw new AppError("model_stream_broken", "The model's answer broke off before its end.");
  } catch (thrown) {
    limit.signal.throwIfAborted();
    yield [{ type: "error", problem: refusedOf(thrown, call).problem }];
  } finally {
    limit.end();
    await parts.return?.();
  }
}
