import type { FileChange } from "@handrail/protocol/changes";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useServices } from "../state/services.ts";
import type { DiffLayout } from "./diff-view.tsx";
import { FileDifference } from "./file-difference.tsx";
import { changedFileQuery } from "./query-workspace.ts";

type ChangedFileProps = {
  readonly conversationId: string;
  readonly change: FileChange;
  readonly seq: number;
  readonly layout: DiffLayout;
};

/** What a file has become since the start of the workspace. */
export function ChangedFile({ conversationId, change, seq, layout }: ChangedFileProps) {
  const { client } = useServices();
  const query = changedFileQuery(client, conversationId, { path: change.path, seq });
  const file = useQuery({ ...query, enabled: !change.binary, placeholderData: keepPreviousData });
  return <FileDifference change={change} file={file} layout={layout} />;
}
