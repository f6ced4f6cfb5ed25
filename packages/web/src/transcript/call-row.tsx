import type { TranscriptCall } from "@handrail/protocol/transcript-items";
import {
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
import { formatClock, formatDuration } from "../state/format.ts";
import { plainText } from "../state/plain-text.ts";
import { useKnownNow } from "../state/use-known-now.ts";
import { CallDetail } from "./call-detail.tsx";
import { FoldRow } from "./fold-row.tsx";
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
  const shown = (
    <>
      <CallLineView line={line} state={call.state} />
      <CallTime call={call} />
    </>
  );
  return (
    <FoldRow rowKey={rowKey} open={open} onToggle={toggle} line={shown}>
      <CallDetail call={call} line={line} />
    </FoldRow>
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
  const now = useKnownNow(running);
  const took = running ? now - (call.startedAt ?? now) : call.durationMs;
  if (took === null || took < (running ? 1000 : 1)) return null;
  return (
    <span className="min-w-12 shrink-0 text-right text-small text-ink-3 tabular-nums">
      {running ? formatClock(took) : formatDuration(took)}
    </span>
  );
}
