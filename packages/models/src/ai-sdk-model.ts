import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Model, ModelOutput, ModelRequest } from "@handrail/core/ports/model";
import { AppError } from "@handrail/protocol/errors";
import { aiSdkDecoder } from "./ai-sdk-decoder.ts";
import { aiSdkError } from "./ai-sdk-error.ts";
import { aiSdkCall } from "./ai-sdk-prompt.ts";
import type { DecodedEnd } from "./dialect.ts";
import { estimatedUsage } from "./estimated-usage.ts";
import type { HttpOptions, ModelFacts } from "./http-model.ts";
import type { IdleWatch } from "./idle-watch.ts";
import type { Owner } from "./provider-data.ts";
import { watchedModel } from "./watched-model.ts";

/** A model of an AI SDK provider, called at the level of its specification. `load` is called at the first use. */
export type AiSdkSource = { readonly owner: Owner; load(): Promise<LanguageModelV4> };

export function aiSdkModel(source: AiSdkSource, facts: ModelFacts, options: Omit<HttpOptions, "fetch">): Model {
  const named = { model: facts.id, secrets: options.secrets };
  let loaded: Promise<LanguageModelV4> | undefined;
  async function* answerBy(request: ModelRequest, watch: IdleWatch) {
    const model = await (loaded ??= source.load());
    yield* answer({ model, owner: source.owner, facts, watch }, request);
  }
  return watchedModel(facts, options.timeouts, answerBy, (thrown) => aiSdkError(thrown, named));
}

type Exchange = {
  readonly model: LanguageModelV4;
  readonly owner: Owner;
  readonly facts: ModelFacts;
  readonly watch: IdleWatch;
};

async function* answer({ model, owner, facts, watch }: Exchange, request: ModelRequest): AsyncGenerator<ModelOutput> {
  const { stream } = await model.doStream(aiSdkCall(request, owner, watch.signal));
  const decoder = aiSdkDecoder(owner);
  for await (const part of stream) {
    watch.touch();
    for (const output of decoder.take(part)) {
      yield output.type === "end" ? priced(output, request, facts) : output;
      if (output.type === "end") return;
    }
  }
  throw new AppError("model_stream_broken", "The model's answer broke off before its end.", { model: facts.id });
}

function priced(end: DecodedEnd, request: ModelRequest, { prices }: ModelFacts): ModelOutput {
  const usage = end.usage ?? estimatedUsage(JSON.stringify(request).length, end.content);
  return { ...end, usage, costUsd: prices.cost(usage) };
}
