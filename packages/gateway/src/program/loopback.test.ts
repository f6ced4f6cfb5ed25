import { expect, test } from "vitest";
import { isLoopback } from "./loopback.ts";

test("what only this machine reaches is told from what others may", () => {
  const own = ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "LOCALHOST"];
  const others = ["0.0.0.0", "::", "10.0.0.1", "127.example.org", "gateway.lan", ""];
  expect([...own, ...others].map(isLoopback)).toEqual([...own.map(() => true), ...others.map(() => false)]);
});
