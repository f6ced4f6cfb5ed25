import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_FRAME_BYTES } from "@handrail/protocol/sandboxd/frames";
import { hasMoreValues, parseMessage } from "./parse-message.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** As the marks between them tell: an empty list counts as if it had one more. */
function count(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  const items = Array.isArray(value) ? value : Object.values(value);
  return items.reduce<number>((sum, item) => sum + count(item), items.length === 0 ? 2 : 1);
}

test("values of any JSON are counted, whatever its texts hold", () => {
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
    }),
    { numRuns: 500 },
  );
});

const ended = (result: string) => bytesOf(`{"type":"ended","id":"x","outcome":{"ok":true,"result":${result}}}`);
const filled = (item: string) => item.repeat(Math.floor((MAX_FRAME_BYTES - 200) / item.length)).slice(0, -1);

test.each([
  ["numbers", `[${filled("0,")}]`],
  ["records", `[${filled("{},")}]`],
  ["lists in lists", "[".repeat(MAX_FRAME_BYTES / 2) + "]".repeat(MAX_FRAME_BYTES / 2)],
])("a message as large as a frame, all of %s, is given up soon", (_what, result) => {
  const message = ended(result);
  const start = performance.now();
  expect(() => parseMessage(message)).toThrow(expect.objectContaining({ code: "sandboxd_protocol" }));
  expect(performance.now() - start).toBeLessThan(300);
});

test("a message as large as a frame, all of it one text, is taken", () => {
  const data = 'x\\"'.repeat(2_000_000);
  expect(parseMessage(ended(`{"data":"${data}"}`))).toEqual({
    type: "ended",
    id: "x",
    outcome: { ok: true, result: { data: data.replaceAll("\\", "") } },
  });
});
