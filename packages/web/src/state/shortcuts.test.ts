import { expect, test } from "vitest";
import { type KeyPress, readShortcut } from "./shortcuts.ts";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  command: false,
  alt: false,
  typing: false,
  atMs: 0,
  ...more,
});

test("two keys make one shortcut when they come together", () => {
  const { pending } = readShortcut(null, press("g"));
  expect(readShortcut(pending, press("c", { atMs: 500 }))).toEqual({ shortcut: "go.changes", pending: null });
  expect(readShortcut(pending, press("c", { atMs: 5000 }))).toEqual({ shortcut: "new", pending: null });
  expect(readShortcut(pending, press("x", { atMs: 1 }))).toEqual({ shortcut: null, pending: null });
});

test("keys typed into a field mean only their text, but the palette and escape still work", () => {
  expect(readShortcut(null, press("c", { typing: true })).shortcut).toBeNull();
  expect(readShortcut(null, press("K", { typing: true, command: true })).shortcut).toBe("palette");
  expect(readShortcut(null, press("Escape", { typing: true })).shortcut).toBe("escape");
});

test("undo is the page's outside of fields, and the browser's within", () => {
  const presses = [press("z"), press("z", { command: true }), press("z", { command: true, typing: true })];
  expect(presses.map((one) => readShortcut(null, one).shortcut)).toEqual(["undo", "undo", null]);
});

test("the browser's own shortcuts are left alone", () => {
  expect(readShortcut(null, press("c", { command: true })).shortcut).toBeNull();
  expect(readShortcut(null, press("j", { alt: true })).shortcut).toBeNull();
});
