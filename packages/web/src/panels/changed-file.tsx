import type { FileChange } from "@handrail/protocol/changes";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Empty, Failure } from "../components/empty.tsx";
import { fileText } from "../state/file-text.ts";
import { useServices } from "../state/services.ts";
import { type DiffLayout, DiffView } from "./diff-view.tsx";
import { changedFileQuery } from "./query-workspace.ts";

type ChangedFileProps = {
  readonly conversationId: string;
  readonly change: FileChange;
  readonly seq: number;
  readonly layout: DiffLayout;
};

/** The difference of one file. */
export function ChangedFile({ conversationId, change, seq, layout }: ChangedFileProps) {
  const { client } = useServices();
  const query = changedFileQuery(client, conversationId, { path: change.path, seq });
  const file = useQuery({ ...query, enabled: !change.binary, placeholderData: keepPreviousData });
  const { data } = file;
  const texts = useMemo(
    () => data && { before: fileText(data.before ?? ""), after: fileText(data.after ?? "") },
    [data],
  );
  if (change.binary || data?.binary === true) return <Empty>This file is binary; its difference has no lines.</Empty>;
  if (file.isError) return <Failure error={file.error} />;
  if (texts === undefined) return <Empty>Reading the file.</Empty>;
  if (texts.before.kind === "binary" || texts.after.kind === "binary") return <Empty>This file is binary.</Empty>;
  if (texts.before.text === texts.after.text) return <Empty>{sameText(change, texts.after.text)}</Empty>;
  return (
    <div className="min-h-0 flex-1">
      <DiffView path={change.path} before={texts.before.text} after={texts.after.text} layout={layout} />
    </div>
  );
}

/** Why a changed file has no difference to show. */
function sameText({ status, oldPath }: FileChange, text: string): string {
  if (oldPath !== undefined) return `Renamed from ${oldPath}; its lines are the same.`;
  if (text === "" && status === "added") return "This new file is empty.";
  if (text === "" && status === "deleted") return "This file was empty, and is gone.";
  return "Its lines are the same; its rights or its kind changed.";
}
