import { fromBase64 } from "@handrail/client/output-stream";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Button } from "../components/button.tsx";
import { Empty, Failure } from "../components/empty.tsx";
import { fileText } from "../state/file-text.ts";
import { formatBytes } from "../state/format.ts";
import { useServices } from "../state/services.ts";
import { report } from "../state/toasts.ts";
import { CodeView } from "./code-view.tsx";
import { fileQuery } from "./query-workspace.ts";

/** One file of the workspace, to read. A huge one is shown as far as one answer holds it. */
export function FileViewer({ conversationId, path }: { readonly conversationId: string; readonly path: string }) {
  const { client } = useServices();
  const file = useQuery(fileQuery(client, conversationId, path));
  const { data } = file;
  const content = useMemo(() => data && fileText(data.data), [data]);
  const shown = useMemo(() => (data === undefined ? 0 : fromBase64(data.data).length), [data]);
  if (file.isError) return <Failure error={file.error} />;
  if (data === undefined || content === undefined) return <Empty>Reading the file.</Empty>;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex items-center gap-2 border-b border-line px-3 py-0.5">
        <code className="min-w-0 flex-1 truncate font-mono" title={path}>
          {path}
        </code>
        <span className="text-small text-ink-3">
          {shown < data.size ? `first ${formatBytes(shown)} of ${formatBytes(data.size)}` : formatBytes(data.size)}
        </span>
        <Button tone="quiet" onClick={() => report(file.refetch())}>
          {file.isFetching ? "Reading" : "Read again"}
        </Button>
      </div>
      {content.kind === "binary" ? (
        <Empty>This file is binary, {formatBytes(data.size)}.</Empty>
      ) : (
        <CodeView path={path} text={content.text} />
      )}
    </div>
  );
}
