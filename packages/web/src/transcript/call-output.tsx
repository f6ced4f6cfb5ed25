import { useState } from "react";
import { Button } from "../components/button.tsx";
import { firstLines, lastLines, plainText } from "../state/plain-text.ts";
import { useLive } from "./transcript-context.ts";

const SHOWN_LINES = 30;
const LIVE_LINES = 10;
const PRE = "overflow-x-auto px-3 py-1.5 font-mono text-small whitespace-pre-wrap [overflow-wrap:anywhere]";

/** Output of a call that has ended: some lines of it until more is asked for. */
export function CallOutput({ text, fromEnd }: { readonly text: string; readonly fromEnd: boolean }) {
  const [all, setAll] = useState(false);
  const clean = plainText(text);
  if (clean.trim() === "") return <p className="px-3 py-1.5 text-ink-3">No output.</p>;
  const last = lastLines(clean, SHOWN_LINES);
  const first = firstLines(clean, SHOWN_LINES);
  const left = fromEnd ? last.before : first.after;
  const shown = all ? clean.trimEnd() : fromEnd ? last.text : first.text;
  const more = left > 0 && (
    <Button tone="quiet" className="ml-1" onClick={() => setAll(!all)}>
      {all ? "Show less" : `Show ${left} ${fromEnd ? "earlier" : "more"} lines`}
    </Button>
  );
  return (
    <>
      {fromEnd && more}
      <pre className={PRE}>{shown}</pre>
      {!fromEnd && more}
    </>
  );
}

/** The last lines of a call that is running; space for them is kept from the start. */
export function RunningOutput({ callId }: { readonly callId: string }) {
  const live = useLive();
  const output = live.outputs.get(callId);
  const { text, before } = lastLines(plainText(output?.text ?? ""), LIVE_LINES);
  return (
    <pre className={`${PRE} min-h-12`}>
      {(before > 0 || output?.cut === true) && <span className="text-ink-3">Last lines only.{"\n"}</span>}
      {text === "" ? <span className="text-ink-3">No output yet.</span> : text}
    </pre>
  );
}
