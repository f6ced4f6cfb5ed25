import { sourceLabel } from "@handrail/protocol/source-label";
import type { ConversationSummary } from "@handrail/protocol/summary";

/** What a search looks through, in lower case. Folded here, as databases differ in what they take for a letter. */
export function searchText(summary: Pick<ConversationSummary, "title" | "source">): string {
  return `${summary.title}\n${sourceLabel(summary.source)}`.toWellFormed().replaceAll("\0", " ").toLowerCase();
}

/** One LIKE pattern for each word of a search, for `escape '\'`. */
export function searchPatterns(search: string): readonly string[] {
  const words = search.toWellFormed().replaceAll("\0", " ").toLowerCase().split(/\s+/);
  return words.filter(Boolean).map((word) => `%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`);
}
