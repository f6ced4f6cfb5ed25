import type { FileChange } from "@handrail/protocol/changes";
import { expect, test } from "vitest";
import { changeSize } from "./change-size.ts";

const change = (part: Partial<FileChange>): FileChange => ({ path: "a", status: "modified", binary: false, ...part });

test("a change has lines, or a word for why it has none", () => {
  expect(
    [
      change({ added: 2, removed: 0 }),
      change({ binary: true }),
      change({ status: "added", added: 0, removed: 0 }),
      change({ status: "deleted" }),
      change({ added: 0, removed: 0 }),
      change({ status: "renamed", oldPath: "b" }),
    ].map(changeSize),
  ).toEqual([{ added: 2, removed: 0 }, "binary", "empty", "empty", "mode", ""]);
});
