import type { TranscriptCall } from "@handrail/protocol/transcript";
import {
  ChevronRight,
  Circle,
  FilePen,
  FileText,
  Flag,
  ListChecks,
  type LucideIcon,
  MessageCircleQuestion,
  Search,
  SquareTerminal,
} from "lucide-react";
import { classNames } from "../components/class-names.ts";
import { type CallLine, describeCall } from "../state/describe-call.ts";
import { formatDuration } from "../state/format.ts";
import { plainText } from "../state/plain-text.ts";
import { useNow } from "../state/use-now.ts";
import { CallDetail } from "./call-detail.tsx";
import { useTranscript } from "./transcript-context.ts";
import { useOpened } from "./use-opened.ts";

const ICONS: Readonly<Record<CallLine["kind"], LucideIcon>> = {
  terminal: SquareTerminal,
  read: FileText,
  search: Search,
  edit: FilePen,
  tasks: ListChecks,
  ask: MessageCircleQuestion,
  finish: Flag,
  other: Circle,
};

type CallRowProps = { readonly rowKey: string; readonly call: TranscriptCall };

/** One call: a line until it is opened. Failures, edits, the last plan and what is running are open by themselves. */
export function CallRow({ rowKey, call }: CallRowProps) {
  const line = describeCall(call);
  const { lastPlan } = useTranscript();
  const [open, toggle] = useOpened(rowKey, opensByItself(call, line) || rowKey === lastPlan);
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
        <CallLineView line={line} state={call.state} />
        <CallTime call={call} />
      </button>
      {open && (
        <div className="border-t border-line">
          <CallDetail call={call} line={line} />
        </div>
      )}
    </div>
  );
}

function opensByItself(call: TranscriptCall, line: CallLine): boolean {
  if (line.failed || call.state === "running") return true;
  return call.data.edits !== undefined || call.tool === "finish";
}

type LineProps = { readonly line: CallLine; readonly state: TranscriptCall["state"] };

/** Icon, verb, object and result of a call. */
export function CallLineView({ line, state }: LineProps) {
  const Icon = ICONS[line.kind];
  const running = state === "running" || state === "asked";
  return (
    <>
      <Icon
        size={14}
        aria-hidden
        className={classNames("shrink-0", line.failed ? "text-bad" : running ? "text-accent" : "text-ink-2")}
      />
      <span className="shrink-0">{line.verb}</span>
      <code className="min-w-0 flex-1 truncate font-mono text-ink-2">
        {plainText(line.object).replaceAll("\n", " ⏎ ")}
      </code>
      {line.result !== "" && (
        <span className={classNames("shrink-0", line.failed ? "font-medium text-bad" : "text-ink-2")}>
          {line.result}
        </span>
      )}
    </>
  );
}

function CallTime({ call }: { readonly call: TranscriptCall }) {
  const running = call.state === "running" && call.startedAt !== null;
  const now = useNow(1000, running);
  const took = running ? Math.floor((now - (call.startedAt ?? now)) / 1000) * 1000 : call.durationMs;
  if (took === null || took <= 0) return null;
  return (
    <span className="min-w-12 shrink-0 text-right text-small text-ink-3 tabular-nums">{formatDuration(took)}</span>
  );
}
