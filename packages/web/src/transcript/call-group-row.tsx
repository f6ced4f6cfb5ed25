import type { TranscriptCall } from "@handrail/protocol/transcript";
import { ChevronRight, Files } from "lucide-react";
import { classNames } from "../components/class-names.ts";
import { plural } from "../state/format.ts";
import { CallRow } from "./call-row.tsx";
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
  return (
    <div className="rounded-ui border border-line bg-raised">
      <button
        type="button"
        data-row={rowKey}
        aria-expanded={open}
        onClick={toggle}
        className="inset-focus flex min-h-8 w-full items-center gap-2 rounded-ui px-2 text-left hover:bg-hover max-md:min-h-10"
      >
        <ChevronRight size={14} aria-hidden className={classNames("shrink-0 text-ink-3", open && "rotate-90")} />
        <Files size={14} aria-hidden className="shrink-0 text-ink-2" />
        {text.charAt(0).toUpperCase() + text.slice(1)}
      </button>
      {open && (
        <div className="flex flex-col gap-1 border-t border-line p-1.5">
          {calls.map((call) => (
            <CallRow key={call.callId} rowKey={call.callId} call={call} />
          ))}
        </div>
      )}
    </div>
  );
}
