import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { expect, test } from "vitest";
import { portWatch } from "./port-watch.ts";

const signal = new AbortController().signal;

test.each([
  ["process", [{ port: 8080 }]],
  ["none", []],
] as const)("ports of a sandbox with the backend %s are %j", async (backend, expected) => {
  const handlers = { "port.wait": async () => ({ ports: [{ port: 8080 }] }) };
  const sandbox = { ...scriptedSandbox(handlers), backend };
  const watch = portWatch({
    deltas: { emit: () => undefined, isWatched: () => true, onWatch: () => undefined },
    sandboxes: { current: () => sandbox, onOpen: () => undefined },
    signal,
  });
  expect(await watch.ports("c_1", signal)).toEqual(expected);
});
