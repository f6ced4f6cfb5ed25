import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatFormat } from "../ports/format.ts";
import { prompts } from "../testing/arbitraries.ts";
import { CODECS } from "./codec.ts";
import type { Fields } from "./refuse.ts";
import type { Target } from "./target.ts";

const FORMATS: readonly ChatFormat[] = ["chat", "messages", "responses"];

const target = (from: ChatFormat): Target => ({
  from,
  warnings: new Set(),
  provider: "litellm",
  model: "m",
  maxOutputTokens: undefined,
});
const wire = (body: Fields) => JSON.parse(JSON.stringify(body)) as Fields;

for (const here of FORMATS) {
  for (const there of FORMATS.filter((format) => format !== here)) {
    test(`a request of ${here} is the same after it was one of ${there}`, () => {
      fc.assert(
        fc.property(prompts, (prompt) => {
          const marked = there === "responses" || here === "responses" ? unmarked(prompt) : prompt;
          const first = wire(CODECS[here].writeRequest(marked, target(here)));
          const between = wire(CODECS[there].writeRequest(CODECS[here].readRequest(first), target(here)));
          const back = wire(CODECS[here].writeRequest(CODECS[there].readRequest(between), target(there)));
          expect(back).toEqual(first);
        }),
        { numRuns: 200 },
      );
    });
  }
}

/** Responses has no marks for caches. */
function unmarked<Shape>(value: Shape): Shape {
  return JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === "cache" ? undefined : inner))) as Shape;
}
