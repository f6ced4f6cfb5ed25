import { expect, test } from "vitest";
import { TYPE } from "./fuse-abi.ts";
import { dropName, giveName, Nodes, pathIn, pathOf, ROOT_ID } from "./nodes.ts";

function open() {
  const nodes = new Nodes(2);
  const root = nodes.byId(ROOT_ID);
  if (root === undefined) throw new Error("There is no root.");
  return { nodes, root };
}

test("a path follows its directories when they are renamed", () => {
  const { nodes, root } = open();
  const outer = nodes.named({ parent: root, name: "a" }, 10, TYPE.directory);
  const inner = nodes.named({ parent: outer, name: "b" }, 11, TYPE.directory);
  expect([pathOf(root), pathIn(root, "x"), pathIn(inner, "x")]).toEqual(["/", "/x", "/a/b/x"]);
  dropName(outer, { parent: root, name: "a" });
  giveName(outer, { parent: root, name: "c" });
  expect(pathIn(inner, "x")).toBe("/c/b/x");
});

test("a file with several names is one, and has a path as long as one of them is known", () => {
  const { nodes, root } = open();
  const first = nodes.named({ parent: root, name: "a" }, 10, TYPE.regular);
  const second = nodes.named({ parent: root, name: "b" }, 10, TYPE.regular);
  expect(second).toBe(first);
  expect(dropName(first, { parent: root, name: "a" })).toBe(false);
  expect(pathOf(first)).toBe("/b");
  expect(dropName(first, { parent: root, name: "b" })).toBe(true);
});

test("a removed file is not the one that gets its inode's number next", () => {
  const { nodes, root } = open();
  const old = nodes.named({ parent: root, name: "a" }, 10, TYPE.regular);
  old.lookups = 1;
  nodes.remove(old);
  const next = nodes.named({ parent: root, name: "a" }, 10, TYPE.regular);
  expect([next === old, nodes.byKey(10) === next, nodes.byId(old.id) === old]).toEqual([false, true, true]);
  expect(nodes.forget(old, 1)).toBe(true);
  expect([nodes.byId(old.id), nodes.byKey(10) === next]).toEqual([undefined, true]);
});

test("the kernel forgets a file once it has forgotten it as often as it was told of it", () => {
  const { nodes, root } = open();
  const node = nodes.named({ parent: root, name: "a" }, "18446744073709551615", TYPE.regular);
  node.lookups = 3;
  expect([nodes.forget(node, 2), nodes.forget(root, 1), nodes.forget(node, 1)]).toEqual([false, false, true]);
  expect(nodes.byKey("18446744073709551615")).toBeUndefined();
});
