import { expect, test } from "vitest";
import { systemPrompt } from "./system-prompt.ts";
import { ALL_TOOLS } from "./tools/all-tools.ts";

test("the base prompt with all built-in tools is at most 8 kB", () => {
  const tools = JSON.stringify(ALL_TOOLS.map((tool) => tool.definition));
  expect(systemPrompt([]).length + tools.length).toBeLessThanOrEqual(8000);
});
