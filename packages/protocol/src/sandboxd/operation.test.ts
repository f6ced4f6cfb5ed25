import { expect, test } from "vitest";
import { MAX_SAID_PATH } from "../snapshots.ts";
import { OPERATIONS } from "./operations.ts";

const { result } = OPERATIONS["workspace.changes"];
const CHANGE = { path: "a", status: "added", binary: false };

test("a list of what it should hold is taken, and what nobody knows is left out of its items", () => {
  expect(result.safeParse({ tree: "t", changes: [CHANGE, CHANGE] }).data).toEqual({
    tree: "t",
    changes: [CHANGE, CHANGE],
  });
  const entry = { name: "a", type: "file", size: 1, executable: false };
  const listed = { path: "p", entries: [{ ...entry, odd: 1 }], more: false };
  expect(OPERATIONS["file.list"].result.safeParse(listed).data).toEqual({ path: "p", entries: [entry], more: false });
});

test.each([
  ["no list", {}],
  ["one wrong item", [CHANGE, {}]],
])("%s is refused", (_what, changes) => {
  expect(result.safeParse({ tree: "t", changes }).success).toBe(false);
});

test("too many items are refused", () => {
  const ports = Array.from({ length: 1001 }, () => ({ port: 1 }));
  expect(OPERATIONS["port.wait"].result.safeParse({ ports }).success).toBe(false);
  expect(OPERATIONS["port.wait"].result.safeParse({ ports: ports.slice(1) }).success).toBe(true);
});

test("very many wrong items are refused at the first", () => {
  const looked: unknown[] = [];
  const changes = new Proxy(
    Array.from({ length: 500_000 }, () => ({})),
    {
      get: (items, key) => {
        if (typeof key === "string" && /^\d+$/.test(key)) looked.push(key);
        return Reflect.get(items, key) as unknown;
      },
    },
  );
  expect(result.safeParse({ tree: "t", changes }).success).toBe(false);
  expect(looked).toEqual(["0"]);
});

test("paths that a sandbox says beside a snapshot or a restore are so long, and no longer", () => {
  const said = (length: number) => {
    const path = "a".repeat(length);
    const counts = { files: 0, bytes: 0, newObjects: 0, packBytes: 0, leftOutCount: 1, durationMs: 1 };
    const leftOut = [{ path, reason: "large", bytes: 1 }];
    const taken = { root: "0".repeat(64), ...counts, leftOut };
    const restored = { needed: [], written: 0, removed: 0, failed: [path] };
    return [
      OPERATIONS["snapshot.take"].result.safeParse(taken).success,
      OPERATIONS["snapshot.restore"].result.safeParse(restored).success,
    ];
  };
  expect([said(MAX_SAID_PATH), said(MAX_SAID_PATH + 1)]).toEqual([
    [true, true],
    [false, false],
  ]);
});
