import { plainText } from "./plain-text.ts";

export type DiffLine = { readonly kind: "added" | "removed" | "context" | "hunk"; readonly text: string };

/** The lines of unified diff text without file headers. Control characters are left out. */
export function parseHunks(hunks: string): readonly DiffLine[] {
  const lines = hunks.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map(lineOf);
}

function lineOf(line: string): DiffLine {
  const text = plainText(line.slice(1));
  if (line.startsWith("@@") || line.startsWith("\\")) return { kind: "hunk", text: plainText(line) };
  if (line.startsWith("+")) return { kind: "added", text };
  return line.startsWith("-") ? { kind: "removed", text } : { kind: "context", text };
}
