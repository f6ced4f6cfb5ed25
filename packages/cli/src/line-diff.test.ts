import { expect, test } from "vitest";
import { lineDiff } from "./line-diff.ts";

const bytes = (text: string) => Buffer.from(text);

test("lines that differ are shown with three around them, as git does", async () => {
  const before = bytes("1\n2\n3\n4\n5\n6\n");
  expect(await lineDiff(before, bytes("1\n2\n3\n4\n5\nsix"))).toBe(
    "@@ -3,4 +3,4 @@\n 3\n 4\n 5\n-6\n+six\n\\ No newline at end of file\n",
  );
  expect(await lineDiff(bytes(""), bytes("new\n"))).toBe("@@ -0,0 +1 @@\n+new\n");
});

test("texts that are the same have no difference", async () => {
  expect(await lineDiff(bytes("a\n"), bytes("a\n"))).toBe("");
});
