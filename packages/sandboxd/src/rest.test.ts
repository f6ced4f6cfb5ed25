import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rest } from "./rest.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("rest comes once after the last operation has ended, and again after the next one", () => {
  const given: string[] = [];
  let now = "at first";
  const { begun, ended } = rest(() => given.push(now), 100);
  vi.advanceTimersByTime(1000);
  now = "between two";
  begun("terminal.run");
  begun("file.read");
  ended("terminal.run");
  vi.advanceTimersByTime(1000);
  now = "after both";
  ended("file.read");
  vi.advanceTimersByTime(99);
  begun("file.read");
  ended("file.read");
  vi.advanceTimersByTime(99);
  expect(given).toEqual(["at first"]);
  vi.advanceTimersByTime(1000);
  expect(given).toEqual(["at first", "after both"]);
});

test("an operation that only waits is no work", () => {
  let given = 0;
  const { begun, ended } = rest(() => given++, 100);
  begun("port.wait");
  vi.advanceTimersByTime(1000);
  ended("port.wait");
  vi.advanceTimersByTime(1000);
  expect(given).toBe(1);
});
