import type { Client } from "@handrail/client/create-client";
import type { ListeningPort } from "@handrail/protocol/sandboxd/operations";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

/** Ports of the sandbox, and whether they can be shown. `known` is what was told since: other ports ask anew. */
export const previewsQuery = (client: Client, id: string, known: readonly ListeningPort[] | null) =>
  queryOptions({
    queryKey: ["ports", id, known?.map(({ port }) => port) ?? "not told"],
    queryFn: ({ signal }) => client.ports({ params: { id }, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

/** Previews of the conversation that others may see. */
export const sharesQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ["shares", id],
    queryFn: ({ signal }) => client.shares({ params: { id }, signal }),
    refetchInterval: 10_000,
    retry: false,
  });
