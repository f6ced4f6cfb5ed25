import { MAX_SAID_PATH } from "@handrail/protocol/snapshots";
import { expect, test } from "vitest";
import { failureText } from "./failures.ts";

test("what could not be restored is said with the reason, and of a path that is too long the beginning", () => {
  expect(failureText("d/a", "EACCES")).toBe("d/a: EACCES");
  const long = failureText("a".repeat(MAX_SAID_PATH), "e".repeat(1000));
  expect([long.length, long.slice(-302)]).toEqual([MAX_SAID_PATH, `: ${"e".repeat(300)}`]);
});
