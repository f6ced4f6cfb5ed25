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

test("an operation that only waits is no work: rest comes while it is under way, and its end is no end of work", () => {
  for (const waiting of ["port.wait", "terminal.watch"]) {
    let given = 0;
    const { begun, ended } = rest(() => given++, 100);
    begun(waiting);
    vi.advanceTimersByTime(1000);
    expect(given, waiting).toBe(1);
    begun("terminal.run");
    ended(waiting);
    vi.advanceTimersByTime(1000);
    expect(given, waiting).toBe(1);
    ended("terminal.run");
    vi.advanceTimersByTime(1000);
    expect(given, waiting).toBe(2);
  }
});

test("the rest that a model takes between two steps is not taken for one", () => {
  let given = 0;
  const { begun, ended } = rest(() => given++);
  begun("terminal.run");
  ended("terminal.run");
  vi.advanceTimersByTime(9_999);
  expect(given).toBe(0);
});
