import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { redisGuard, REST_MS } from "./redis-guard.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a question that is not answered in time is given up, and for a while after it none is asked", async () => {
  const guard = redisGuard("The cache", 50);
  let asked = 0;
  const ask = (answer: Promise<string>) =>
    guard.ask(() => {
      asked += 1;
      return answer;
    });
  const given = ask(new Promise<string>(() => undefined));
  vi.advanceTimersByTime(49);
  expect(guard.trouble()).toBe(undefined);
  vi.advanceTimersByTime(1);
  expect(await given).toBe(undefined);
  expect(guard.trouble()).toBe("The cache in Redis does not answer: no answer within 50 ms");
  vi.advanceTimersByTime(REST_MS - 1);
  expect([await ask(Promise.resolve("yes")), asked]).toEqual([undefined, 1]);
  vi.advanceTimersByTime(1);
  expect([await ask(Promise.resolve("yes")), asked, guard.trouble()]).toEqual(["yes", 2, undefined]);
});

test("a question that fails is no answer, and says why", async () => {
  const guard = redisGuard("Limits", 50);
  expect(await guard.ask(() => Promise.reject(new Error("LOADING")))).toBe(undefined);
  expect(guard.trouble()).toBe("Limits in Redis does not answer: LOADING");
});
