import { expect, test } from "vitest";
import { together } from "./together.ts";

const never = new AbortController().signal;

test("works are done at the same time, and their results come in order", async () => {
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<number>()];
  const both = together(never, [
    () => first.promise,
    async () => {
      first.resolve("one");
      return second.promise;
    },
  ]);
  second.resolve(2);
  expect(await both).toEqual(["one", 2]);
});

test("the first failure ends the others by their signal and is told when all have ended", async () => {
  const done: string[] = [];
  const ended = Promise.withResolvers<void>();
  const both = together(never, [
    async (signal) => {
      const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
      await aborted;
      done.push("told");
      await ended.promise;
      done.push("ended");
      throw new Error("a later one");
    },
    () => Promise.reject(new Error("first")),
    async () => {
      await ended.promise;
      throw new Error("the latest one");
    },
  ]);
  queueMicrotask(() => ended.resolve());
  await expect(both).rejects.toThrow("first");
  expect(done).toEqual(["told", "ended"]);
});

test("works are told that the caller has given up", async () => {
  const caller = new AbortController();
  const work = together(caller.signal, [
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  ]);
  caller.abort(new Error("enough"));
  await expect(work).rejects.toThrow("enough");
});
