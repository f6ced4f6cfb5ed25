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
