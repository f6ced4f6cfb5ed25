import { expect, test } from "vitest";
import { logWrongKeys } from "./log-wrong-keys.ts";

test("however many wrong keys come, one line a minute says how many there were", () => {
  const lines: unknown[] = [];
  let now = 0;
  const observer = logWrongKeys({ warn: (...line: unknown[]) => void lines.push(line) }, () => now);
  for (; now < 150_000; now += 100) observer.wrongKey?.("192.0.2.7");
  const text = "requests came with keys that nobody has";
  expect(lines).toEqual([
    [{ requests: 1, lastFrom: "192.0.2.7" }, text],
    [{ requests: 600, lastFrom: "192.0.2.7" }, text],
    [{ requests: 600, lastFrom: "192.0.2.7" }, text],
  ]);
});
