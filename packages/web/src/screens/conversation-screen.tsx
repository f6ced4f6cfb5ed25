import type { ConversationState } from "@handrail/protocol/conversation-state";
import { ConversationId } from "@handrail/protocol/ids";
import { shownStatus, summaryOf } from "@handrail/protocol/summary";
import { useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Confirm } from "../components/confirm.tsx";
import { classNames } from "../components/class-names.ts";
import { Failure } from "../components/empty.tsx";
import { loadPanels, PanelZone } from "../panels/panel-zone.tsx";
import type { ConversationView } from "../state/conversation-store.ts";
import type { PanelName, Place } from "../state/place.ts";
import { rowsOf } from "../state/transcript-rows.ts";
import { report } from "../state/toasts.ts";
import { useConversation } from "../state/use-conversation.ts";
import { type RunControls, useRunControls } from "../state/use-run-controls.ts";
import { useNow } from "../state/use-now.ts";
import { useTitle } from "../state/use-title.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { valueStore } from "../state/value-store.ts";
import { LiveScope, TranscriptScope } from "../transcript/transcript-context.ts";
import { TranscriptView } from "../transcript/transcript-view.tsx";
import { AskBanner } from "./ask-banner.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { CheckpointsDialog } from "./checkpoints-dialog.tsx";
import { Composer } from "./composer.tsx";
import { ConversationTabs } from "./conversation-tabs.tsx";
import { EmptyTranscript } from "./empty-transcript.tsx";
import { NotFoundScreen } from "./not-found-screen.tsx";
import { NetworkAsks } from "./network-asks.tsx";
import { StateAnnouncer } from "./state-announcer.tsx";
import { StatusLine } from "./status-line.tsx";
import { TopBar } from "./top-bar.tsx";

/** One conversation: what was said and done, and the panel beside it. */
export function ConversationScreen() {
  const { conversationId } = useParams({ from: "/conversations/$conversationId" });
  if (!ConversationId.safeParse(conversationId).success) return <NotFoundScreen />;
  return <OneConversation key={conversationId} conversationId={conversationId} />;
}

function OneConversation({ conversationId }: { readonly conversationId: string }) {
  const view = useConversation(conversationId);
  const place = useSearch({ from: "/conversations/$conversationId" });
  const go = usePlace();
  const controls = useRunControls(conversationId, view.state);
  useTitle(titleOf(view.state, useNow(60_000)));
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    const timer = setTimeout(loadPanels, 1000);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts({
    "go.changes": () => go({ panel: "changes" }),
    "go.files": () => go({ panel: "files" }),
    "go.terminal": () => go({ panel: "terminal" }),
    "go.preview": () => go({ panel: "preview" }),
    "go.network": () => go({ panel: "network" }),
    "go.log": () => go({ panel: "log" }),
    "go.conversation": () => go({}),
    "go.checkpoints": () => go({ ...place, dialog: "checkpoints" }),
    "go.settings": () => go({ ...place, dialog: "settings" }),
    escape: () => leaveOrAsk(controls, () => setAsking(true)),
  });
  if (view.error !== null && view.state === null) return <Failure error={view.error} />;
  return (
    <div className="flex h-full flex-col">
      <StateAnnouncer state={view.state} />
      <TopBar conversationId={conversationId} view={view} controls={controls} place={place} go={go} />
      <div className="flex min-h-0 flex-1">
        <section
          aria-label="Conversation"
          className={classNames("flex min-w-0 flex-1 flex-col", place.panel && "max-md:hidden")}
        >
          <Centre conversationId={conversationId} view={view} controls={controls} go={go} />
        </section>
        {place.panel && <PanelZone conversationId={conversationId} view={view} place={place} go={go} />}
      </div>
      <Dialogs state={view.state} place={place} go={go} />
      <ConversationTabs view={view} place={place} go={go} />
      <Confirm
        title="Stop the run?"
        text="The model call is cancelled and the command is killed. You can continue afterwards."
        action="Stop"
        open={asking && controls.working && controls.online}
        onClose={() => setAsking(false)}
        onConfirm={controls.stop}
      />
    </div>
  );
}

/** What needs the user is seen in the tab too. */
function titleOf(state: ConversationState | null, nowMs: number): string | null {
  if (state === null) return null;
  return shownStatus(summaryOf(state), nowMs) === "asked" ? `Asks you: ${state.title}` : state.title;
}

type DialogsProps = { readonly state: ConversationState | null; readonly place: Place; readonly go: GoTo };

function Dialogs({ state, place, go }: DialogsProps) {
  const close = useCloseDialog(place, go);
  if (state === null) return null;
  if (place.dialog === "settings") return <ChangeDialog state={state} onClose={close} />;
  return place.dialog === "checkpoints" ? <CheckpointsDialog state={state} onClose={close} /> : null;
}

/** Leaves no place behind to which "back" would open the dialog again. */
function useCloseDialog({ dialog: _closed, ...place }: Place, go: GoTo): () => void {
  const { history } = useRouter();
  return () => {
    if (history.location.state.opened === true) history.back();
    else go(place, { replace: true });
  };
}

/** Escape in a field leaves the field; elsewhere it asks to stop what runs. */
function leaveOrAsk(controls: RunControls, ask: () => void): boolean {
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && focused.matches("input, textarea")) {
    focused.blur();
    return true;
  }
  if (!controls.working || !controls.online) return false;
  if (!controls.stopping) ask();
  return true;
}

/** Goes to another place in the same conversation; `replace`: "back" does not lead to the one that was left. */
export type GoTo = (place: Place, how?: { readonly replace: boolean }) => void;

function usePlace(): GoTo {
  const navigate = useNavigate({ from: "/conversations/$conversationId" });
  return useCallback(
    (place, how) => report(navigate({ search: place, ...how, state: { opened: place.dialog !== undefined } })),
    [navigate],
  );
}

type CentreProps = {
  readonly conversationId: string;
  readonly view: ConversationView;
  readonly controls: RunControls;
  readonly go: GoTo;
};

function Centre({ conversationId, view, controls, go }: CentreProps) {
  const [opened] = useState(() => valueStore<ReadonlyMap<string, boolean>>(new Map()));
  const rows = useMemo(() => rowsOf(view.transcript.items), [view.transcript]);
  const lastPlan = rows.findLast((row) => row.kind === "call" && row.call.data.tasks !== undefined)?.key;
  const scope = useMemo(
    () => ({
      conversationId,
      opened,
      lastPlan,
      showPanel: (panel: PanelName, place: Omit<Place, "panel"> = {}) => go({ panel, ...place }),
    }),
    [conversationId, opened, lastPlan, go],
  );
  return (
    <TranscriptScope value={scope}>
      <LiveScope value={view.live}>
        {view.state === null ? (
          <p className="flex-1 p-4 text-ink-2">Loading the conversation.</p>
        ) : (
          <TranscriptView rows={rows} empty={<EmptyTranscript fork={view.state.snapshots.fork} />} />
        )}
      </LiveScope>
      <div className="mx-auto w-full max-w-[46rem] px-4 pb-2">
        <NetworkAsks conversationId={conversationId} view={view} />
        <AskBanner conversationId={conversationId} view={view} controls={controls} />
        <Composer conversationId={conversationId} state={view.state} controls={controls} />
        <StatusLine view={view} />
      </div>
    </TranscriptScope>
  );
}
