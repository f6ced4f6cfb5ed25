import { memo } from "react";
import { Markdown } from "../components/markdown.tsx";
import type { Row } from "../state/transcript-rows.ts";
import { CallGroupRow } from "./call-group-row.tsx";
import { CallRow } from "./call-row.tsx";
import { MarkerRow } from "./marker-row.tsx";
import { MessageRow } from "./message-row.tsx";
import { ReasoningRow } from "./reasoning-row.tsx";
import { RetriesRow, StepRow } from "./step-row.tsx";

/** One row of the transcript. */
export const RowView = memo(function RowView({ row }: { readonly row: Row }) {
  switch (row.kind) {
    case "message":
      return <MessageRow item={row.item} />;
    case "text":
      return <Markdown text={row.text} />;
    case "reasoning":
      return <ReasoningRow rowKey={row.key} text={row.text} />;
    case "call":
      return <CallRow rowKey={row.key} call={row.call} />;
    case "calls":
      return <CallGroupRow rowKey={row.key} calls={row.calls} />;
    case "retries":
      return <RetriesRow item={row.item} />;
    case "step":
      return <StepRow item={row.item} />;
    case "marker":
      return <MarkerRow item={row.item} />;
  }
});
