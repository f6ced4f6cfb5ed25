import type { ConversationState } from "@handrail/protocol/conversation-state";
import { shownStatus, summaryOf } from "@handrail/protocol/summary";
import { WifiOff } from "lucide-react";
import { STATUS_LOOKS, StatusBadge } from "../components/status-badge.tsx";
import { awaited, type LastRetry } from "../state/awaited.ts";
import type { ConversationView } from "../state/conversation-store.ts";
import { describeCost } from "../state/describe-cost.ts";
import { formatClock, formatCount, formatDuration, formatTime, plural } from "../state/format.ts";
import { DEMO_LABEL, isDemoModel, useModel } from "../state/session-queries.ts";
import { useKnownNow, useOnline } from "../state/use-known-now.ts";

/** One line under the composer: state, what is awaited, elapsed, steps, context, cost. */
export function StatusLine({ view }: { readonly view: ConversationView }) {
  const { state } = view;
  const now = useKnownNow(state?.run != null);
  const online = useOnline();
  if (state === null) return <div className="min-h-7" />;
  const waits = online ? awaited(state, view.live, lastRetry(view), now) : lastKnown(state, now);
  return (
    <div className="flex min-h-7 items-center gap-x-3 pt-1 text-small text-ink-2 max-md:flex-wrap">
      {online ? <StatusBadge status={shownStatus(summaryOf(state), now)} /> : <OfflineBadge />}
      {isDemoModel(state.model) && <span className="font-semibold whitespace-nowrap text-warn">{DEMO_LABEL}</span>}
      <span className="min-w-0 flex-1 truncate" title={waits}>
        {waits}
      </span>
      <span className="ml-auto flex flex-wrap justify-end gap-x-3 whitespace-nowrap tabular-nums">
        <Numbers state={state} now={now} />
      </span>
    </div>
  );
}

const OfflineBadge = () => (
  <span className="inline-flex shrink-0 items-center gap-1 font-medium whitespace-nowrap text-warn">
    <WifiOff size={14} aria-hidden />
    Offline
  </span>
);

/** What the conversation did when the connection was lost: whether it still does is not known. */
function lastKnown(state: ConversationState, lostAt: number): string {
  const { word } = STATUS_LOOKS[summaryOf(state).state];
  return `Last known: ${word.toLowerCase()}, ${formatTime(lostAt)}`;
}

function Numbers({ state, now }: { readonly state: ConversationState; readonly now: number }) {
  const { totals, run } = state;
  const model = useModel(state.model);
  const tookMs = totals.timeMs + (run === null ? 0 : Math.max(0, now - run.startedAt));
  const took = run === null && tookMs < 1000 ? formatDuration(tookMs) : formatClock(tookMs);
  return (
    <>
      <span title="Time of all runs">{took}</span>
      <span>{plural(totals.steps, "step")}</span>
      <Context tokens={state.contextTokens} of={model?.contextTokens} />
      <Cost state={state} />
    </>
  );
}

function Context({ tokens, of }: { readonly tokens: number; readonly of: number | undefined }) {
  if (tokens === 0) return null;
  const share = of === undefined ? "" : ` of ${formatCount(of)}`;
  return <span title="Tokens of the latest model call">{`context ${formatCount(tokens)}${share}`}</span>;
}

function Cost({ state }: { readonly state: ConversationState }) {
  const { text, title } = describeCost(state);
  return <span title={title}>{text}</span>;
}

function lastRetry({ transcript }: ConversationView): LastRetry {
  const step = transcript.openStep === null ? undefined : transcript.items[transcript.openStep];
  return (step?.kind === "step" ? step.retries.at(-1) : undefined) ?? null;
}
