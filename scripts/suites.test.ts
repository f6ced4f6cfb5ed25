import path from "node:path";
import { expect, test } from "vitest";
import { countsOf, failuresIn, inProject, sumLine } from "./lib/suites.mjs";

const file = (status: string, ...states: string[]) => ({
  status,
  assertionResults: states.map((state) => ({ status: state })),
});

test("tests are counted by how they ended", () => {
  const report = { testResults: [file("passed", "passed", "skipped"), file("failed", "failed", "passed", "todo")] };
  expect(countsOf(report, false)).toEqual({ passed: 2, failed: 1, skipped: 2 });
});

test("a file that does not load counts as a failure", () => {
  const report = { testResults: [file("passed", "passed"), file("failed")] };
  expect(countsOf(report, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("no report, no test, and an error outside of any test are failures", () => {
  expect(countsOf(undefined, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countsOf({ testResults: [] }, true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countsOf({ testResults: [file("passed", "passed")] }, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("what failed is named once more, with its file and the first line of why", () => {
  const ofTest = (status: string, ...failureMessages: string[]) => ({ status, fullName: "adds", failureMessages });
  const report = {
    testResults: [
      { name: path.resolve("a.test.ts"), status: "failed", assertionResults: [ofTest("failed", "No.\n at a")] },
      { name: path.resolve("b.test.ts"), status: "failed", message: "No such module\n at b", assertionResults: [] },
      { name: path.resolve("c.test.ts"), status: "passed", assertionResults: [ofTest("passed"), ofTest("skipped")] },
    ],
  };
  expect(failuresIn(report)).toEqual(["b.test.ts: No such module", "a.test.ts: adds: No."]);
  expect(failuresIn(undefined)).toEqual([]);
});

test("files of a report have their names in the project, whatever that was called where they ran", () => {
  const report = { testResults: [{ name: "/elsewhere/a/b.test.ts", status: "passed" }] };
  expect(inProject(report, "/elsewhere")).toEqual({
    testResults: [{ name: path.resolve("a/b.test.ts"), status: "passed" }],
  });
  expect(inProject(undefined, "/elsewhere")).toBeUndefined();
});

test("the sum names what was skipped only where something was", () => {
  expect(sumLine([{ passed: 3, failed: 0, skipped: 0 }])).toBe("3 passed, 0 failed");
  const both = [
    { passed: 3, failed: 1, skipped: 2 },
    { passed: 4, failed: 0, skipped: 1 },
  ];
  expect(sumLine(both)).toBe("7 passed, 1 failed, 3 skipped");
});
