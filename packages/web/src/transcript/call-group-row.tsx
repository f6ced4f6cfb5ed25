import type { TranscriptCall } from "@handrail/protocol/transcript-items";
import { Files } from "lucide-react";
import { plural } from "../state/format.ts";
import { CallRow } from "./call-row.tsx";
import { FoldRow } from "./fold-row.tsx";
import { useOpened } from "./use-opened.ts";

type GroupProps = { readonly rowKey: string; readonly calls: readonly TranscriptCall[] };

/** Reads and searches in a row, as one line until it is opened. */
export function CallGroupRow({ rowKey, calls }: GroupProps) {
  const [open, toggle] = useOpened(rowKey, false);
  const reads = calls.filter((call) => call.tool === "read").length;
  const searches = calls.length - reads;
  const parts = [
    reads > 0 && `read ${plural(reads, "file")}`,
    searches > 0 && `searched ${searches === 1 ? "once" : plural(searches, "time")}`,
  ].filter((part) => part !== false);
  const text = parts.join(", ");
  const line = (
    <>
      <Files size={14} aria-hidden className="shrink-0 text-ink-2" />
      {text.charAt(0).toUpperCase() + text.slice(1)}
    </>
  );
  return (
    <FoldRow rowKey={rowKey} open={open} onToggle={toggle} line={line}>
      <div className="flex flex-col gap-1 p-1.5">
        {calls.map((call) => (
          <CallRow key={call.callId} rowKey={call.callId} call={call} />
        ))}
      </div>
    </FoldRow>
  );
}
