import { useState } from "react";
import { report } from "./toasts.ts";

/** Work that a button starts, one at a time: pressed again while `busy` it is not done twice. What goes wrong is shown. */
export function useAction(work: () => Promise<unknown>): { readonly busy: boolean; readonly start: () => void } {
  const [busy, setBusy] = useState(false);
  const start = () => {
    if (busy) return;
    setBusy(true);
    report(work().finally(() => setBusy(false)));
  };
  return { busy, start };
}
