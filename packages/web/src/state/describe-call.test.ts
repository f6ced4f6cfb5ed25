import { expect, test } from "vitest";
import { describeCall, readArguments } from "./describe-call.ts";

type Call = Parameters<typeof describeCall>[0];
const line = (call: Partial<Call>) => {
  const { verb, object, result, failed } = describeCall({
    tool: "terminal",
    arguments: '{"command":"npm test"}',
    state: "ok",
    errorCode: undefined,
    data: {},
    ...call,
  });
  return [`${verb} ${object}`, result, failed];
};

test("a command says what it did in the past, and an exit other than 0 is a failure to look at", () => {
  expect(line({ data: { exitCode: 0 } })).toEqual(["Ran npm test", "exit 0", false]);
  expect(line({ data: { exitCode: 1 } })).toEqual(["Ran npm test", "exit 1", true]);
  expect(line({ state: "running" })).toEqual(["Running npm test", "", false]);
  expect(line({ data: { running: true, exitCode: null } })).toEqual(["Ran npm test", "still running", false]);
});

test("terminal calls without a command say what they do to it", () => {
  expect(line({ arguments: '{"key":"ctrl-c"}' })[0]).toBe('Typed "ctrl-c"');
  expect(line({ arguments: '{"kill":true,"terminal":"web"}' })[0]).toBe("Killed the command in web");
  expect(line({ arguments: "{}" })[0]).toBe("Waited for the command ");
});

test("other tools say their object and what came of it", () => {
  const edits = [{ path: "a.ts", created: false, added: 3, removed: 2, hunks: "" }];
  expect(line({ tool: "edit", arguments: '{"path":"a.ts"}', data: { edits } })).toEqual([
    "Edited a.ts",
    "+3 −2",
    false,
  ]);
  expect(line({ tool: "search", arguments: '{"pattern":"x","path":"src"}', data: { matches: 1 } })).toEqual([
    "Searched x in src",
    "1 match",
    false,
  ]);
  expect(line({ tool: "deploy", arguments: "{}" })).toEqual(["Called deploy", "", false]);
});

test("calls that could not do it, were lost or never made say so", () => {
  const read = { tool: "read", arguments: '{"path":"a"}' };
  expect(line({ ...read, state: "error", errorCode: "path_missing" })).toEqual([
    "Reading failed a",
    "path missing",
    true,
  ]);
  expect(line({ ...read, state: "lost" })).toEqual(["Read a", "lost: whether it ran is not known", true]);
  expect(line({ ...read, state: "dropped" })).toEqual(["Did not make read a", "", false]);
});

test("arguments that are not whole, or not an object, are read as far as they go", () => {
  expect(readArguments('{"path":"src/a.ts","text":"line\\none')).toEqual({ path: "src/a.ts", text: "line\none" });
  expect(readArguments("[1]")).toEqual({ "0": "1" });
  expect(readArguments("null")).toEqual({});
  expect(readArguments("not json")).toEqual({});
});
