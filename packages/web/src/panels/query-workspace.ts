import type { Client } from "@handrail/client/create-client";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

/** Files that differ from the start. `seq` is how far the log had come: a later one asks anew. */
export const changesQuery = (client: Client, id: string, seq: number) =>
  queryOptions({
    queryKey: ["changes", id, seq],
    queryFn: ({ signal }) => client.changes({ params: { id }, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

/** One file before and after. */
export const changedFileQuery = (client: Client, id: string, place: { readonly path: string; readonly seq: number }) =>
  queryOptions({
    queryKey: ["changed-file", id, place],
    queryFn: ({ signal }) => client.changedFile({ params: { id }, query: { path: place.path }, signal }),
    retry: false,
  });

/** One directory; the empty path is the workspace. */
export const filesQuery = (client: Client, id: string, path: string) =>
  queryOptions({
    queryKey: ["files", id, path],
    queryFn: ({ signal }) => client.files({ params: { id }, query: path === "" ? {} : { path }, signal }),
    retry: false,
  });

/** The first bytes of one file, at most 4 MiB. */
export const fileQuery = (client: Client, id: string, path: string) =>
  queryOptions({
    queryKey: ["file", id, path],
    queryFn: ({ signal }) => client.file({ params: { id }, query: { path }, signal }),
    retry: false,
    gcTime: 30_000,
  });
