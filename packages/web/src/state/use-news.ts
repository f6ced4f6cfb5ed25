import { useState } from "react";
import type { ConversationView } from "./conversation-store.ts";
import type { PanelName } from "./place.ts";

/** The panels that have something which the user has not seen there; the open one never has. */
export function useNews(view: ConversationView, open: PanelName): ReadonlySet<PanelName> {
  const latest = { changes: view.files.seq, terminal: lastTerminalUse(view), preview: view.live.ports?.length ?? 0 };
  const [seen, setSeen] = useState(latest);
  if ((open === "changes" || open === "terminal" || open === "preview") && seen[open] !== latest[open]) {
    setSeen({ ...seen, [open]: latest[open] });
  }
  return new Set(
    (["changes", "terminal", "preview"] as const).filter((name) => name !== open && latest[name] > seen[name]),
  );
}

/** The `seq` of the latest item in which a terminal was used; -1 for none. Looks a little way back only. */
function lastTerminalUse({ transcript }: ConversationView): number {
  const used = transcript.items
    .slice(-30)
    .findLast(
      (item) =>
        item.kind === "step" && item.parts.some((part) => part.type === "call" && part.call.tool === "terminal"),
    );
  return used?.seq ?? -1;
}
