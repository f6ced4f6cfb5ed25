import { expect, test } from "vitest";
import { NEW_DRAFT, readLimits, readNetwork, readSource } from "./source-draft.ts";

test("a source is read, or what is missing is said", () => {
  expect(readSource({ ...NEW_DRAFT, source: "empty" })).toEqual({ type: "empty" });
  expect(readSource({ ...NEW_DRAFT, folder: "/a" })).toEqual({ type: "folder", path: "/a" });
  expect(readSource(NEW_DRAFT)).toBe("Choose the folder to work on.");
  expect(readSource({ ...NEW_DRAFT, source: "git", url: " https://x/y.git " })).toEqual({
    type: "git",
    url: "https://x/y.git",
  });
  expect(readSource({ ...NEW_DRAFT, source: "git", url: "u", branch: "b" })).toEqual({
    type: "git",
    url: "u",
    branch: "b",
  });
  expect(readSource({ ...NEW_DRAFT, source: "git" })).toBe("Give the URL of the git repository.");
});

test("limits are read, empty ones are none, and what is no limit is refused", () => {
  expect(readLimits(NEW_DRAFT)).toEqual({});
  expect(readLimits({ ...NEW_DRAFT, maxCostUsd: "2.5", maxSteps: "40", maxMinutes: "1.5" })).toEqual({
    maxCostUsd: 2.5,
    maxSteps: 40,
    maxTimeMs: 90_000,
  });
  expect(readLimits({ ...NEW_DRAFT, maxSteps: "1.5" })).toBe("The step limit must be a whole number above 0.");
  expect(readLimits({ ...NEW_DRAFT, maxCostUsd: "0" })).toBe("The cost limit must be a number of dollars above 0.");
  expect(readLimits({ ...NEW_DRAFT, maxMinutes: "soon" })).toBe("The time limit must be a number of minutes above 0.");
});

test("a network choice becomes a rule", () => {
  expect(readNetwork(NEW_DRAFT)).toBeUndefined();
  expect(readNetwork({ ...NEW_DRAFT, network: "none" })).toEqual({ type: "none" });
  expect(readNetwork({ ...NEW_DRAFT, network: "hosts", hosts: "a.org, .b.org" })).toEqual({
    type: "allow",
    presets: ["registries", "git"],
    hosts: ["a.org", ".b.org"],
  });
});
