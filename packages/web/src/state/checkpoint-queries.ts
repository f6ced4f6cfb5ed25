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

/** Two checkpoints by their ids. What differs between them never changes. */
type Two = { readonly from: string; readonly to: string };

/** The files that differ between two checkpoints; `git` has git's own among them. */
export const checkpointChangesQuery = (client: Client, id: string, query: Two, git: boolean) =>
  queryOptions({
    queryKey: ["checkpoint-changes", id, query, git],
    queryFn: ({ signal }) =>
      client.checkpointChanges({ params: { id }, query: { ...query, git: git ? "true" : "false" }, signal }),
    staleTime: Infinity,
    retry: false,
  });

/** One file at two checkpoints. */
export const checkpointFileQuery = (client: Client, id: string, query: Two & { readonly path: string }) =>
  queryOptions({
    queryKey: ["checkpoint-file", id, query],
    queryFn: ({ signal }) => client.checkpointFile({ params: { id }, query, signal }),
    staleTime: Infinity,
    gcTime: 30_000,
    retry: false,
  });
