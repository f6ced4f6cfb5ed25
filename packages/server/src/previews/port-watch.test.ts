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

test("ports are told also after a question that failed, once somebody watches", async () => {
  let asked = 0;
  const stop = new AbortController();
  const told: unknown[] = [];
  const handlers = {
    "port.wait": async () => {
      asked += 1;
      if (asked === 1) throw new Error("no answer");
      if (asked === 2) return { ports: [{ port: 8080 }] };
      return new Promise<never>(() => {});
    },
  };
  const sandbox = { ...scriptedSandbox(handlers), backend: "process" } as const;
  let watched = false;
  let arrive: (id: string) => void = () => undefined;
  portWatch({
    deltas: {
      emit: (id, delta) => void told.push([id, delta]),
      isWatched: () => watched,
      onWatch: (listener) => {
        arrive = listener;
      },
    },
    sandboxes: { current: () => sandbox, onOpen: () => undefined },
    signal: stop.signal,
  });
  arrive("c_1");
  watched = true;
  arrive("c_1");
  await expect
    .poll(() => told, { timeout: 10_000 })
    .toEqual([["c_1", { type: "ports.delta", ports: [{ port: 8080 }] }]]);
  stop.abort();
});

test("a sandbox whose ports change all the time is asked a few times a second", async () => {
  const start = Date.now();
  let asked = 0;
  const stop = new AbortController();
  const handlers = { "port.wait": async () => ({ ports: [{ port: 8000 + (asked++ % 2) }] }) };
  const sandbox = { ...scriptedSandbox(handlers), backend: "process" } as const;
  let told = 0;
  portWatch({
    deltas: { emit: () => void (told += 1), isWatched: () => true, onWatch: (listener) => listener("c_1") },
    sandboxes: { current: () => sandbox, onOpen: () => undefined },
    signal: stop.signal,
  });
  await expect.poll(() => told, { timeout: 10_000 }).toBeGreaterThan(3);
  stop.abort();
  expect(Date.now() - start).toBeGreaterThan(500);
  expect(told).toBeLessThan(20);
});
