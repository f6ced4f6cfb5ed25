import type { Client } from "@handrail/client/create-client";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

/** Checkpoints of a conversation, latest first. `head` is how far its log has come: a later one asks anew. */
export const checkpointsQuery = (client: Client, id: string, head: number) =>
  queryOptions({
    queryKey: ["checkpoints", id, head],
    queryFn: ({ signal }) => client.checkpoints({ params: { id }, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

/** The files that differ between two checkpoints. It never changes. */
export const checkpointChangesQuery = (
  client: Client,
  id: string,
  query: { readonly from: string; readonly to: string },
) =>
  queryOptions({
    queryKey: ["checkpoint-changes", id, query],
    queryFn: ({ signal }) => client.checkpointChanges({ params: { id }, query, signal }),
    staleTime: Infinity,
    retry: false,
  });
