import { Link } from "@tanstack/react-router";
import { ArrowLeft, History, PanelRightClose, PanelRightOpen, Play, SlidersHorizontal, Square } from "lucide-react";
import { Button, IconButton } from "../components/button.tsx";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { ConversationView } from "../state/conversation-store.ts";
import { sourceName } from "../state/group-conversations.ts";
import type { Place } from "../state/place.ts";
import { DEMO_LABEL, isDemoModel, useModel } from "../state/session-queries.ts";
import type { RunControls } from "../state/use-run-controls.ts";
import type { GoTo } from "./conversation-screen.tsx";
import { TakeResult } from "./take-result.tsx";

type TopBarProps = {
  readonly conversationId: string;
  readonly view: ConversationView;
  readonly controls: RunControls;
  readonly place: Place;
  readonly go: GoTo;
};

/** Title, where it works, with which model, and the way to stop it. */
export function TopBar({ conversationId, view, controls, place, go }: TopBarProps) {
  const { state } = view;
  return (
    <header className="flex min-h-11 items-center gap-2 border-b border-line px-3 max-md:px-1">
      <Link to="/" aria-label="All conversations" className="rounded-ui p-2.5 text-ink-2 hover:bg-hover md:hidden">
        <ArrowLeft size={18} aria-hidden />
      </Link>
      <div className="min-w-0 flex-1">
        <h1 dir="auto" className="truncate text-left font-semibold">
          {state?.title ?? "Conversation"}
        </h1>
        {state !== null && <Facts state={state} />}
      </div>
      <RunButtons controls={controls} />
      {state !== null && <TakeResult conversationId={conversationId} view={view} />}
      {state !== null && (
        <IconButton
          label="Model, network and limits"
          icon={SlidersHorizontal}
          disabled={!controls.online}
          onClick={() => go({ ...place, dialog: "settings" })}
        />
      )}
      {state !== null && (
        <IconButton
          label="Checkpoints"
          icon={History}
          disabled={!controls.online}
          onClick={() => go({ ...place, dialog: "checkpoints" })}
        />
      )}
      <span className="max-md:hidden">
        <IconButton
          label={place.panel ? "Close the panel" : "Open the panel"}
          icon={place.panel ? PanelRightClose : PanelRightOpen}
          onClick={() => go(place.panel ? {} : { panel: "changes" })}
        />
      </span>
    </header>
  );
}

function Facts({ state }: { readonly state: ConversationState }) {
  const model = useModel(state.model);
  const branch = state.workspace?.branch ?? (state.source.type === "git" ? state.source.branch : undefined);
  const place = branch === undefined ? sourceName(state.source) : `${sourceName(state.source)} · ${branch}`;
  const sandbox =
    state.liveSandbox === null ? `${state.sandbox.backend}, not running` : `${state.liveSandbox.backend}, running`;
  return (
    <p className="flex gap-x-3 truncate text-small text-ink-2">
      <span className="truncate" title="Files">
        {place}
      </span>
      {state.teamId !== null && (
        <span className="truncate" title="Team">
          team {state.teamId}
        </span>
      )}
      <span className="truncate max-md:hidden" title="Sandbox">
        {sandbox}
      </span>
      {isDemoModel(state.model) ? (
        <span className="truncate font-semibold text-warn">{DEMO_LABEL}</span>
      ) : (
        <span className="truncate" title="Model">
          {model?.label ?? state.model}
        </span>
      )}
    </p>
  );
}

/** The one place for both, in reach on each zone of a phone: stop while it works; continue after a stop, a limit or a failure. Both wait for the server while offline. */
function RunButtons({ controls }: { readonly controls: RunControls }) {
  if (controls.working) {
    return (
      <Button tone="danger" icon={Square} disabled={controls.stopping || !controls.online} onClick={controls.stop}>
        {controls.stopping && controls.online ? "Stopping" : "Stop"}
      </Button>
    );
  }
  if (!controls.canContinue) return null;
  return (
    <Button icon={Play} disabled={controls.continuing || !controls.online} onClick={controls.goOn}>
      {controls.continuing ? "Continuing" : "Continue"}
    </Button>
  );
}
