import type { Model, ModelOutput, ModelRequest } from "@handrail/core/ports/model";
import type { ModelFacts } from "./http-model.ts";
import { DEFAULT_TIMEOUTS, type IdleWatch, idleWatch, type Timeouts } from "./idle-watch.ts";

/** How one request is answered: by these parts, which tell the watch whenever something comes. */
export type Answer = (request: ModelRequest, watch: IdleWatch) => AsyncIterable<ModelOutput>;

/** A model whose answers are given up when nothing comes of them for too long. Errors are as `explain` tells them. */
export function watchedModel(
  facts: ModelFacts,
  timeouts: Timeouts | undefined,
  answer: Answer,
  explain: (thrown: unknown) => unknown = (thrown) => thrown,
): Model {
  const { prices, ...shown } = facts;
  return {
    ...shown,
    price: (usage) => prices.price(usage),
    async *stream(request, signal) {
      signal.throwIfAborted();
      const watch = idleWatch(signal, facts.id, timeouts ?? DEFAULT_TIMEOUTS);
      try {
        yield* answer(request, watch);
      } catch (thrown) {
        throw watch.reason(explain(thrown));
      } finally {
        watch.end();
      }
    },
  };
}
