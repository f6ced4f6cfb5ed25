import type { Model, ModelEnd, ModelOutput, ModelRequest } from "@handrail/core/ports/model";
import { AppError } from "@handrail/protocol/errors";
import { type Decoded, type DecodedEnd, type Decoder, type Dialect, type HttpCall, StreamError } from "./dialect.ts";
import { estimatedUsage } from "./estimated-usage.ts";
import type { IdleWatch, Timeouts } from "./idle-watch.ts";
import { watchedModel } from "./watched-model.ts";
import { at, parseJson } from "./json.ts";
import { networkError } from "./network-error.ts";
import type { Prices } from "./prices.ts";
import { providerError, type Source } from "./provider-error.ts";
import { sseData } from "./sse-data.ts";

/** What a model is, apart from how it is spoken to. */
export type ModelFacts = Pick<Model, "id" | "contextTokens" | "maxOutputTokens" | "images" | "scripted"> & {
  readonly prices: Prices;
};

export type HttpOptions = {
  /** Never shown in an error. */
  readonly secrets: readonly string[];
  readonly fetch?: typeof globalThis.fetch;
  readonly timeouts?: Timeouts;
};

/** How often a request may change its form after a refusal before the refusal counts. */
const MAX_FORMS = 4;
const MAX_BODY_CHARACTERS = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** A model behind an HTTP API that streams server-sent events. */
export function httpModel(dialect: Dialect, facts: ModelFacts, options: HttpOptions): Model {
  return watchedModel(facts, options.timeouts, (request, watch) => answer({ dialect, facts, options, watch }, request));
}

type Exchange = {
  readonly dialect: Dialect;
  readonly facts: ModelFacts;
  readonly options: HttpOptions;
  readonly watch: IdleWatch;
};

async function* answer(exchange: Exchange, request: ModelRequest): AsyncGenerator<ModelOutput> {
  const { response, sent } = await accepted(exchange, request);
  for await (const output of untilEnd(exchange, response)) {
    yield output.type === "end" ? priced(output, { sent, response, facts: exchange.facts }) : output;
  }
}

async function* untilEnd(exchange: Exchange, response: Response): AsyncGenerator<Decoded> {
  const source = { model: exchange.facts.id, secrets: exchange.options.secrets };
  const decoder = exchange.dialect.decoder();
  try {
    for await (const data of events(exchange, response)) {
      const outputs = decoder.take(decodedJson(data, source));
      yield* outputs;
      if (outputs.at(-1)?.type === "end") return;
    }
  } catch (thrown) {
    throw streamFailure(thrown, source);
  }
  yield lastWord(decoder, source);
}

function lastWord(decoder: Decoder, { model }: Source): DecodedEnd {
  const end = decoder.atEof();
  if (end) return end;
  throw new AppError("model_stream_broken", "The model's answer broke off before its end.", { model });
}

type Accepted = { readonly response: Response; readonly sent: HttpCall };

/** Sends the request, in another form where the API refuses one. */
async function accepted({ dialect, facts, options, watch }: Exchange, request: ModelRequest): Promise<Accepted> {
  const source = { model: facts.id, secrets: options.secrets };
  for (let form = 1; ; form += 1) {
    const sent = dialect.toHttp(request);
    const response = await post(sent, options, watch.signal).catch((thrown: unknown) => {
      throw networkError(thrown, sent.url, facts.id);
    });
    if (response.ok) return { response, sent };
    const rejection = { status: response.status, body: await errorBody(response), headers: response.headers };
    const refused = response.status === 400 || response.status === 422;
    if (!refused || form >= MAX_FORMS || !dialect.adapt(rejection.body)) throw providerError(rejection, source);
  }
}

function post({ url, headers, body }: HttpCall, options: HttpOptions, signal: AbortSignal): Promise<Response> {
  const fetch = options.fetch ?? globalThis.fetch;
  const accept = { "content-type": "application/json", accept: "text/event-stream" };
  return fetch(url, { method: "POST", headers: { ...accept, ...headers }, body, signal, redirect: "manual" });
}

async function errorBody(response: Response): Promise<string> {
  const moved = response.headers.get("location");
  if (moved !== null) {
    await response.body?.cancel();
    return `it redirects to ${moved}. Set that as the base URL`;
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    size += part.length;
    if (size > MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Each event's data. An answer that is no stream but one JSON body counts as one event. */
async function* events({ watch, facts, options }: Exchange, response: Response): AsyncGenerator<string> {
  const type = response.headers.get("content-type") ?? "";
  const bytes = touching(response.body ?? [], watch);
  if (type.includes("text/html")) {
    const body = await whole(bytes);
    throw providerError({ status: response.status, body }, { model: facts.id, secrets: options.secrets });
  }
  if (type.includes("application/json")) yield whole(bytes);
  else yield* sseData(bytes);
}

async function* touching(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  watch: IdleWatch,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    watch.touch();
    yield chunk;
  }
}

async function whole(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BODY_CHARACTERS) throw new RangeError("The answer is too large.");
  }
  return text;
}

function decodedJson(data: string, { model }: Source): unknown {
  if (data.trim() === "[DONE]") return "[DONE]";
  const value = parseJson(data);
  if (value === undefined)
    throw new AppError("model_stream_broken", "The model sent an event that is not JSON.", { model });
  if (at(value, "error")) throw new StreamError(data);
  return value;
}

function streamFailure(thrown: unknown, source: Source): unknown {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof StreamError) return providerError({ status: 0, body: thrown.message }, source);
  return new AppError(
    "model_stream_broken",
    "The connection to the model broke off in the middle of its answer.",
    { model: source.model },
    { cause: thrown },
  );
}

type Paid = { readonly sent: HttpCall; readonly response: Response; readonly facts: ModelFacts };

/** The end with its price. What a gateway or the API itself reports wins over the price list. */
function priced(decoded: DecodedEnd, { sent, response, facts }: Paid): ModelEnd {
  const { reportedCostUsd, ...end } = decoded;
  const usage = end.usage ?? estimatedUsage(sent.body.length, end.content);
  const reported = gatewayCost(response.headers) ?? reportedCostUsd;
  const costUsd = reported !== undefined && reported > 0 ? reported : (facts.prices.cost(usage) ?? reported);
  return { ...end, usage, costUsd };
}

/** LiteLLM's own price. It is 0 where the headers left before the price was known, so 0 is no proof of none. */
function gatewayCost(headers: Headers): number | undefined {
  const cost = Number.parseFloat(headers.get("x-litellm-response-cost") ?? "");
  return cost >= 0 && cost < 1_000_000 ? cost : undefined;
}
