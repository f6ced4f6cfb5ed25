import { createContext, useContext } from "react";
import type { PanelName } from "../state/place.ts";
import type { ValueStore } from "../state/value-store.ts";
import { valueStore } from "../state/value-store.ts";
import type { LiveFragments } from "../state/live-fragments.ts";
import { NO_FRAGMENTS } from "../state/live-fragments.ts";

/** What rows of a transcript need beside their own item. */
export type TranscriptContext = {
  readonly conversationId: string;
  /** Rows that the user opened or closed, by key; the rest are as their outcome says. */
  readonly opened: ValueStore<ReadonlyMap<string, boolean>>;
  /** The row of the newest plan; older ones are folded. */
  readonly lastPlan: string | undefined;
  readonly showPanel: (panel: PanelName, place?: { readonly file?: string; readonly terminal?: string }) => void;
};

/** Carries what rows share. */
export const TranscriptScope = createContext<TranscriptContext>({
  conversationId: "",
  opened: valueStore<ReadonlyMap<string, boolean>>(new Map()),
  lastPlan: undefined,
  showPanel: () => {},
});

/** What this transcript's rows share. */
export const useTranscript = (): TranscriptContext => useContext(TranscriptScope);

/** Carries what is streamed now; apart from the rest, so that only rows that show it render anew. */
export const LiveScope = createContext<LiveFragments>(NO_FRAGMENTS);

/** What is streamed now. */
export const useLive = (): LiveFragments => useContext(LiveScope);
