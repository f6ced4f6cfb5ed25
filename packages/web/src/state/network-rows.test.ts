import { expect, test } from "vitest";
import { askedPlace } from "@handrail/protocol/asked-place";
import { networkRows } from "./network-rows.ts";

const request = (host: string, allowed: boolean, reason?: string) => ({
  at: 1,
  method: "GET",
  host,
  port: 80,
  bytesUp: 1,
  bytesDown: 2,
  durationMs: 3,
  allowed,
  ...(reason === undefined ? {} : { reason }),
});

test("requests are listed latest first, and those that were refused, or that failed, alone if wanted", () => {
  const events = [
    {
      seq: 1,
      at: 1,
      event: { type: "network.recorded" as const, requests: [request("a", true), request("b", false, "denied")] },
    },
    { seq: 2, at: 1, event: { type: "conversation.archived" as const } },
    {
      seq: 3,
      at: 1,
      event: { type: "network.recorded" as const, requests: [request("c", true), request("d", true, "unreachable")] },
    },
  ];
  expect(networkRows(events, "all").map(({ key, request: { host } }) => `${key} ${host}`)).toEqual([
    "3.1 d",
    "3.0 c",
    "1.1 b",
    "1.0 a",
  ]);
  expect(networkRows(events, "refused").map(({ key }) => key)).toEqual(["1.1"]);
  expect(networkRows(events, "failed").map(({ key }) => key)).toEqual(["3.1"]);
});

test("what was asked for reads as people write it", () => {
  expect(askedPlace({ host: "a.test", port: 443, method: "CONNECT" })).toBe("a.test");
  expect(askedPlace({ host: "a.test", port: 8443, method: "CONNECT" })).toBe("a.test:8443");
  expect(askedPlace({ host: "a.test", port: 80, method: "POST", path: "/x" })).toBe("POST a.test/x");
});
