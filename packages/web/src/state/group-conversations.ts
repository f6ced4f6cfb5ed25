import { type ConversationStatus, type ConversationSummary, shownStatus } from "@handrail/protocol/summary";

export type ConversationGroup = { readonly title: string; readonly rows: readonly ConversationSummary[] };

const GROUPS: readonly { readonly title: string; readonly states: readonly ConversationStatus[] }[] = [
  { title: "Needs you", states: ["asked"] },
  { title: "Stopped short", states: ["failed", "limited"] },
  { title: "Working", states: ["working"] },
  { title: "Earlier", states: ["done", "cancelled", "idle"] },
];

/** Conversations by what needs the user first; within a group the latest first. Empty groups are left out. */
export function groupConversations(rows: readonly ConversationSummary[], nowMs: number): readonly ConversationGroup[] {
  return GROUPS.map(({ title, states }) => ({
    title,
    rows: rows
      .filter((row) => states.includes(shownStatus(row, nowMs)))
      .sort((left, right) => right.updatedAt - left.updatedAt),
  })).filter((group) => group.rows.length > 0);
}

/** Where a conversation's files come from, in a few characters. */
export function sourceName(source: ConversationSummary["source"]): string {
  if (source.type === "folder") return lastName(source.path);
  if (source.type === "git") return lastName(source.url.replace(/\.git$/, ""));
  return source.type === "demo" ? "Demo repository" : "Empty workspace";
}

const lastName = (path: string) => path.split(/[/:]/).findLast((name) => name !== "") ?? path;
