import type { FileChange } from "@handrail/protocol/changes";

/**
 * How large a change is: its lines, or in a word why it has none: `binary`, `empty` for a file without lines, `mode` for
 * one whose rights alone changed, nothing for a mere renaming.
 */
export type ChangeSize = { readonly added: number; readonly removed: number } | "binary" | "empty" | "mode" | "";

const WITHOUT_LINES = { added: "empty", deleted: "empty", modified: "mode", renamed: "", type: "" } as const;

export function changeSize({ status, binary, added = 0, removed = 0 }: FileChange): ChangeSize {
  if (binary) return "binary";
  return added + removed > 0 ? { added, removed } : WITHOUT_LINES[status];
}
