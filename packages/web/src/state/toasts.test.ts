import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dismissToast, doLater, doWhatWaits, holdToasts, showToast, toasts, UNDO_MS, undoToast } from "./toasts.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  holdToasts(false);
  vi.runAllTimers();
  vi.useRealTimers();
});

const texts = () => toasts.get().map(({ text }) => text);

test("a thing is done when its line has gone, and not when it was taken back", () => {
  const said: string[] = [];
  const later = (name: string) =>
    doLater(
      name,
      async () => said.push(`did ${name}`),
      () => said.push(`kept ${name}`),
    );
  later("a");
  later("b");
  later("c");
  expect(undoToast()).toBe(true);
  dismissToast(toasts.get()[1]?.id ?? -1);
  expect([texts(), said]).toEqual([["a"], ["kept c", "did b"]]);
  vi.advanceTimersByTime(UNDO_MS);
  expect([texts(), said]).toEqual([[], ["kept c", "did b", "did a"]]);
  expect(undoToast()).toBe(false);
});

test("what waits for its line to go is done when the page is left, and other lines stay", () => {
  const said: string[] = [];
  showToast("told");
  showToast("archived", "plain", () => said.push("brought back"));
  for (const name of ["a", "b"])
    doLater(
      name,
      async () => said.push(`did ${name}`),
      () => said.push(`kept ${name}`),
    );
  undoToast();
  holdToasts(true);
  doWhatWaits();
  doWhatWaits();
  expect([texts(), said]).toEqual([
    ["told", "archived"],
    ["kept b", "did a"],
  ]);
});

test("no line goes while somebody is at one of them", () => {
  showToast("one");
  vi.advanceTimersByTime(UNDO_MS - 1);
  holdToasts(true);
  showToast("two");
  vi.advanceTimersByTime(10 * UNDO_MS);
  expect(texts()).toEqual(["one", "two"]);
  holdToasts(false);
  vi.advanceTimersByTime(UNDO_MS - 1);
  expect(texts()).toEqual(["one", "two"]);
  vi.advanceTimersByTime(1);
  expect(texts()).toEqual([]);
});

test("of many lines those that can be taken back stay", () => {
  const undo = () => {};
  showToast("first", "plain", undo);
  for (const name of ["two", "three", "four", "five"]) showToast(name);
  expect(texts()).toEqual(["first", "three", "four", "five"]);
});

test("what is said again is one line", () => {
  for (const name of ["one", "two", "one"]) showToast(name);
  expect(texts()).toEqual(["two", "one"]);
});
