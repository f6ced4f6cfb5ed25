import type { StoredEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { askWaitMs, wasRefused } from "./ask-wait.ts";

const place = { host: "a.test", port: 443, method: "GET", path: "/x", reason: "request_not_allowed" };
const ask = { askId: "n_1", ...place, at: 100_000 };
const asked: StoredEvent = { seq: 1, at: ask.at, event: { type: "network.asked", askId: "n_1", ...place } };
const recorded = (seq: number, of: { readonly [field: string]: string | number | undefined } = {}): StoredEvent => ({
  seq,
  at: ask.at + 10,
  event: {
    type: "network.recorded",
    requests: [{ at: ask.at - 1, bytesUp: 0, bytesDown: 0, durationMs: 1, allowed: false, ...place, ...of }],
  },
});

test("a request has been refused when the log has it behind its ask", () => {
  expect(wasRefused(ask, [asked])).toBe(false);
  expect(wasRefused(ask, [recorded(0), asked])).toBe(false);
  expect(wasRefused(ask, [asked, recorded(2)])).toBe(true);
  const others = [{ path: "/y" }, { method: "PUT" }, { port: 80 }, { host: "b.test" }, { reason: "denied" }, { at: 1 }];
  for (const other of others) expect(wasRefused(ask, [asked, recorded(2, other)])).toBe(false);
  const whole = { ...ask, reason: "host_not_allowed" };
  expect(wasRefused(whole, [asked, recorded(2, { reason: "host_not_allowed", path: "/y" })])).toBe(true);
});

test("a request waits for as long as requests do, from the ask on, whatever the page's clock says", () => {
  expect(askWaitMs(ask, false, 60_000, 118_000)).toBe(42_000);
  expect(askWaitMs(ask, false, 60_000, 160_001)).toBe(0);
  expect(askWaitMs(ask, false, 60_000, 0)).toBe(60_000);
  expect(askWaitMs(ask, true, 60_000, 118_000)).toBe(0);
});
