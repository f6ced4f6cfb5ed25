import { textOf } from "@handrail/protocol/content";
import type { TranscriptCall } from "@handrail/protocol/transcript-items";
import { FileDiff } from "lucide-react";
import { Button } from "../components/button.tsx";
import { DiffLines } from "../components/diff-lines.tsx";
import { Markdown } from "../components/markdown.tsx";
import type { CallLine } from "../state/describe-call.ts";
import { plainText } from "../state/plain-text.ts";
import { CallOutput, RunningOutput } from "./call-output.tsx";
import { Content } from "./message-row.tsx";
import { TaskList } from "./task-list.tsx";
import { useTranscript } from "./transcript-context.ts";

/** What is under a call's line: its hunks, its plan, its question or summary, or its input and output. */
export function CallDetail({ call, line }: { readonly call: TranscriptCall; readonly line: CallLine }) {
  const { edits = [], tasks } = call.data;
  if (edits.length > 0) return <Edits edits={edits} />;
  if (tasks !== undefined) return <TaskList tasks={tasks} />;
  const said = saidText(call);
  if (said === null) return <InputAndOutput call={call} line={line} />;
  return (
    <div className="px-3 py-2">
      <Markdown text={said} />
    </div>
  );
}

/** What a call says to the user; null where it is not for saying something. */
function saidText(call: TranscriptCall): string | null {
  if (call.tool === "finish" && call.state === "ok") return textOf(call.content);
  return call.data.question ?? null;
}

function InputAndOutput({ call, line }: { readonly call: TranscriptCall; readonly line: CallLine }) {
  const images = call.content.filter((part) => part.type === "image");
  const running = call.state === "running" || call.state === "asked";
  return (
    <>
      {needsInput(call, line) && (
        <pre className="overflow-x-auto border-b border-line px-3 py-1.5 font-mono text-small whitespace-pre-wrap [overflow-wrap:anywhere]">
          {plainText(inputOf(call, line))}
        </pre>
      )}
      {running && <RunningOutput callId={call.callId} />}
      {!running && <CallOutput text={textOf(call.content)} fromEnd={line.kind === "terminal"} />}
      {images.length > 0 && (
        <div className="px-3 py-2">
          <Content content={images} />
        </div>
      )}
    </>
  );
}

/** The input is shown again where one line could not hold it, or where it is what went wrong. */
function needsInput(call: TranscriptCall, line: CallLine): boolean {
  if (line.kind === "terminal") return line.object.includes("\n") || line.object.length > 60;
  return line.kind === "other" || line.failed || call.state === "dropped";
}

const inputOf = (call: TranscriptCall, line: CallLine) => (line.kind === "terminal" ? line.object : call.arguments);

function Edits({ edits }: { readonly edits: NonNullable<TranscriptCall["data"]["edits"]> }) {
  const { showPanel } = useTranscript();
  return edits.map((edit) => (
    <div key={edit.path}>
      <div className="flex items-center gap-2 border-b border-line px-3 py-0.5">
        <code className="min-w-0 flex-1 truncate font-mono text-small">{edit.path}</code>
        {edit.created && <span className="text-small text-ink-3">new file</span>}
        <Button tone="quiet" icon={FileDiff} onClick={() => showPanel("changes", { file: edit.path })}>
          In changes
        </Button>
      </div>
      <DiffLines hunks={edit.hunks} />
    </div>
  ));
}
