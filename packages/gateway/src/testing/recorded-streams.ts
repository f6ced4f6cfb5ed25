import { readdirSync, readFileSync } from "node:fs";
import type { ChatFormat } from "../ports/format.ts";

export type RecordedStream = { readonly name: string; readonly format: ChatFormat; readonly bytes: Buffer };

/**
 * Recorded streams of the package `models`, and those of `__fixtures__` here, which were written from the APIs'
 * documentation (platform.openai.com/docs/api-reference/responses-streaming, docs.litellm.ai/docs/reasoning_content).
 * Google's format is no client's.
 */
export const RECORDED: readonly RecordedStream[] = ["../../../models/src/__fixtures__/", "../__fixtures__/"].flatMap(
  (folder) => {
    const directory = new URL(folder, import.meta.url);
    return readdirSync(directory)
      .filter((name) => name.endsWith(".sse") && !name.startsWith("google"))
      .map((name) => ({ name, format: formatOf(name), bytes: readFileSync(new URL(name, directory)) }));
  },
);

function formatOf(name: string): ChatFormat {
  if (name.startsWith("anthropic")) return "messages";
  return name.startsWith("responses") ? "responses" : "chat";
}
