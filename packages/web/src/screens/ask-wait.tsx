import { useMemo } from "react";
import type { StoredEvent } from "@handrail/protocol/events";
import type { OpenAsk } from "@handrail/protocol/network-state";
import { askWaitMs, wasRefused } from "../state/ask-wait.ts";
import { formatClock } from "../state/format.ts";
import { useAskHoldMs } from "../state/session-queries.ts";
import { useKnownNow } from "../state/use-known-now.ts";

type AskWaitProps = { readonly id: string; readonly ask: OpenAsk; readonly events: readonly StoredEvent[] };

/** Whether the request still waits, and what an answer does when it does not. Its end is read aloud, its seconds are not. */
export function AskWait({ id, ask, events }: AskWaitProps) {
  const holdMs = useAskHoldMs();
  const refused = useMemo(() => wasRefused(ask, events), [ask, events]);
  const now = useKnownNow(!refused);
  const leftMs = holdMs === undefined ? undefined : askWaitMs(ask, refused, holdMs, now);
  const waits = leftMs === undefined ? !refused : leftMs > 0;
  return (
    <p id={id} className="mb-2 text-small text-ink">
      {waits && (
        <span role="timer" className="tabular-nums">
          {leftMs === undefined
            ? "It waits for your answer."
            : `It waits ${formatClock(Math.ceil(leftMs / 1000) * 1000)} more.`}
        </span>
      )}
      <output>{!waits && "It was refused meanwhile. If you allow it, the agent can try again."}</output>
    </p>
  );
}
