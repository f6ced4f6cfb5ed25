import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isOwnChild, ownChild } from "./children.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Writes that fail so many times first. */
function writing(failures: number) {
  const written: string[] = [];
  let left = failures;
  const write = (path: string, text: string) => {
    if (left-- > 0) throw new Error("no memory");
    written.push(`${path} ${text}`);
  };
  return { write, written };
}

test("a program is marked to end first, as soon as the system lets it be", () => {
  const { write, written } = writing(3);
  const ended = ownChild(4242, write);
  expect([isOwnChild(4242), written]).toEqual([true, []]);
  vi.advanceTimersByTime(300);
  expect(written).toEqual(["/proc/4242/oom_score_adj 1000"]);
  vi.advanceTimersByTime(10_000);
  expect(written).toHaveLength(1);
  ended();
  expect(isOwnChild(4242)).toBe(false);
});

test("one that has ended is not marked: its number may be another's by then", () => {
  const { write, written } = writing(1);
  ownChild(4242, write)();
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual([]);
});
