import { type ContentPart, textOf } from "@handrail/protocol/content";

/** The title of a conversation that has no message yet. */
export const UNTITLED = "New conversation";

/** The first line of a task without Markdown's marks, at most 80 characters; undefined when it has no words. */
export function titleOf(content: readonly ContentPart[]): string | undefined {
  const line = textOf(content)
    .split("\n")
    .map((text) =>
      text
        .replace(/^[\s#>*`-]+/, "")
        .replaceAll(/\p{Cc}/gu, " ")
        .trim(),
    )
    .find((text) => text !== "");
  if (line === undefined) return undefined;
  const characters = Array.from(line);
  return characters.length <= 80 ? line : `${characters.slice(0, 79).join("").trimEnd()}…`;
}
