import type { Client } from "@handrail/client/create-client";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { type InfiniteData, infiniteQueryOptions, type QueryClient } from "@tanstack/react-query";

type Page = { readonly conversations: readonly ConversationSummary[]; readonly next: string | null };

/** The list of conversations, page by page. */
export function conversationsQuery(client: Client, search: string, archived: boolean) {
  return infiniteQueryOptions({
    queryKey: ["conversations", { search, archived }] as const,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }): Promise<Page> =>
      client.conversations({
        query: {
          limit: 100,
          archived: archived ? "true" : "false",
          ...(search === "" ? {} : { search }),
          ...(pageParam === null ? {} : { after: pageParam }),
        },
        signal,
      }),
    getNextPageParam: (page) => page.next,
    // What was found before stays in sight while another search is under way; of the archive nothing is the other's.
    placeholderData: (before, asked) => (asked?.queryKey[1].archived === archived ? before : undefined),
  });
}

/** Puts a changed row into every list that holds it; a row that no list holds makes the lists load anew. */
export function replaceSummary(queries: QueryClient, id: string, summary: ConversationSummary | null): void {
  let found = false;
  queries.setQueriesData<InfiniteData<Page>>({ queryKey: ["conversations"] }, (data) => {
    if (data === undefined) return data;
    const pages = data.pages.map((page) => ({ ...page, conversations: withSummary(page.conversations, id, summary) }));
    found ||= data.pages.some((page) => page.conversations.some((row) => row.id === id && isSamePlace(row, summary)));
    return { ...data, pages };
  });
  if (!found && summary !== null) queries.invalidateQueries({ queryKey: ["conversations"] }).catch(() => {});
}

const isSamePlace = (row: ConversationSummary, summary: ConversationSummary | null) =>
  summary === null || row.archived === summary.archived;

/** The rows with this one replaced, or left out where it is gone. Pure. */
export function withSummary(
  rows: readonly ConversationSummary[],
  id: string,
  summary: ConversationSummary | null,
): readonly ConversationSummary[] {
  if (summary === null) return rows.filter((row) => row.id !== id);
  return rows.map((row) => (row.id === id ? summary : row));
}
