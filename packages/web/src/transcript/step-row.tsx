import type { StepItem } from "@handrail/protocol/transcript-items";
import { RotateCw, TriangleAlert } from "lucide-react";
import { Markdown } from "../components/markdown.tsx";
import { describeCall } from "../state/describe-call.ts";
import { formatDuration } from "../state/format.ts";
import type { LiveCall, LiveFragments } from "../state/live-fragments.ts";
import { plainText } from "../state/plain-text.ts";
import { CallLineView } from "./call-row.tsx";
import { ReasoningRow } from "./reasoning-row.tsx";
import { useLive } from "./transcript-context.ts";

/** Attempts of a step that failed and were made again. */
export function RetriesRow({ item }: { readonly item: StepItem }) {
  return item.retries.map((retry) => (
    <p key={retry.attempt} className="flex items-start gap-1.5 text-warn">
      <RotateCw size={14} aria-hidden className="mt-[3px] shrink-0" />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        Attempt {retry.attempt} of {retry.maxAttempts} failed: {plainText(retry.detail)} Tried again after{" "}
        {formatDuration(retry.delayMs)}
      </span>
    </p>
  ));
}

/** What a step has to tell after its parts: an odd end, and what streams in now. */
export function StepRow({ item }: { readonly item: StepItem }) {
  const live = useLive();
  const streams = item.open && live.stepId === item.stepId;
  return (
    <div className="flex flex-col gap-2">
      <OddEnd item={item} />
      {streams && <LiveStep live={live} stepId={item.stepId} />}
    </div>
  );
}

const ENDS = {
  length: "The answer was cut off at the model's output cap",
  refusal: "The model refused to answer",
  cancelled: "Stopped while the model was answering",
  failed: "The model call failed",
  stop: "",
  calls: "",
} as const;

function OddEnd({ item }: { readonly item: StepItem }) {
  const text =
    item.ended === null ? (item.open ? "" : "The server went while the model was answering") : ENDS[item.ended.finish];
  if (text === "") return null;
  return (
    <p className="flex items-center gap-1.5 text-warn">
      <TriangleAlert size={14} aria-hidden className="shrink-0" />
      {text}
    </p>
  );
}

function LiveStep({ live, stepId }: { readonly live: LiveFragments; readonly stepId: string }) {
  return (
    <>
      {live.reasoning.text !== "" && <ReasoningRow rowKey={`live.${stepId}`} text={live.reasoning.text} live />}
      {live.text.text !== "" && <Markdown text={(live.text.cut ? "… " : "") + live.text.text} />}
      {live.calls.map((call) => (
        <WrittenCall key={call.callId} call={call} />
      ))}
    </>
  );
}

/** A call that the model is still writing. */
function WrittenCall({ call }: { readonly call: LiveCall }) {
  const line = describeCall({
    tool: call.tool,
    arguments: call.arguments.text,
    state: "asked",
    errorCode: undefined,
    data: {},
  });
  return (
    <div className="flex min-h-8 items-center gap-2 rounded-ui border border-dashed border-line px-2 text-ink-2">
      <CallLineView line={{ ...line, verb: `Writing: ${line.verb.toLowerCase()}` }} state="asked" />
    </div>
  );
}
