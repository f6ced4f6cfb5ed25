import fc from "fast-check";
import { expect, test } from "vitest";
import { hasMoreValues } from "./json-values.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** As the marks between them tell: an empty list counts as if it had one more. */
function count(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  const items = Array.isArray(value) ? value : Object.values(value);
  return items.reduce<number>((sum, item) => sum + count(item), items.length === 0 ? 2 : 1);
}

function depthOf(value: unknown): number {
  return typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

test("values of any JSON are counted, and how deep they are, whatever its texts hold", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('"', "\\", ",", "[", "{", "a"), maxLength: 80 }),
    fc.string(),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, text, fc.integer(), fc.array(tie("tree")), fc.dictionary(text, tie("tree"))),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const json = bytesOf(JSON.stringify(value));
      const values = count(value);
      expect([hasMoreValues(json, values), hasMoreValues(json, values - 1)]).toEqual([false, true]);
      const depth = depthOf(value);
      expect([hasMoreValues(json, values, depth), hasMoreValues(json, values, depth - 1)]).toEqual([false, true]);
    }),
    { numRuns: 500 },
  );
});
