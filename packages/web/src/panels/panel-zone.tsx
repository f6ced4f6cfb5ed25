import { changedFiles } from "@handrail/protocol/file-changes";
import { CatchBoundary } from "@tanstack/react-router";
import { X } from "lucide-react";
import { lazy, Suspense } from "react";
import { IconButton } from "../components/button.tsx";
import { classNames } from "../components/class-names.ts";
import { BrokenPart } from "../screens/broken-part.tsx";
import type { GoTo } from "../screens/conversation-screen.tsx";
import { PANEL_LOOKS } from "../screens/conversation-tabs.tsx";
import type { ConversationView } from "../state/conversation-store.ts";
import { PANELS, type PanelName, type Place } from "../state/place.ts";
import { usePanelWidth } from "../state/use-panel-width.ts";
import { useNews } from "../state/use-news.ts";

/** What every panel is given. */
export type PanelProps = {
  readonly conversationId: string;
  readonly view: ConversationView;
  readonly place: Place;
  readonly go: GoTo;
};

const LOADS = {
  changes: () => import("./changes-panel.tsx").then((module) => ({ default: module.ChangesPanel })),
  files: () => import("./files-panel.tsx").then((module) => ({ default: module.FilesPanel })),
  terminal: () => import("./terminal-panel.tsx").then((module) => ({ default: module.TerminalPanel })),
  preview: () => import("./preview-panel.tsx").then((module) => ({ default: module.PreviewPanel })),
  network: () => import("./network-panel.tsx").then((module) => ({ default: module.NetworkPanel })),
  log: () => import("./log-panel.tsx").then((module) => ({ default: module.LogPanel })),
} as const;

const BODIES = {
  changes: lazy(LOADS.changes),
  files: lazy(LOADS.files),
  terminal: lazy(LOADS.terminal),
  preview: lazy(LOADS.preview),
  network: lazy(LOADS.network),
  log: lazy(LOADS.log),
} as const;

/** Fetches the panels' programs while the server is there, so that they open when it is not. What fails is fetched when needed. */
export function loadPanels(): void {
  for (const load of Object.values(LOADS)) load().catch(() => undefined);
}

/** The panel on the right: which one its URL says. Its left edge can be dragged, or moved with the arrow keys. */
export function PanelZone(props: PanelProps) {
  const { width, dragger } = usePanelWidth();
  const panel = props.place.panel ?? "changes";
  const Body = BODIES[panel];
  return (
    <section
      aria-label={PANEL_LOOKS[panel].label}
      style={{ "--panel-width": `${width}px` } as React.CSSProperties}
      className="relative flex min-w-0 flex-col border-line max-md:flex-1 md:w-(--panel-width) md:max-w-[70%] md:shrink-0 md:border-l"
    >
      <Splitter width={width} dragger={dragger} />
      <PanelTabs {...props} panel={panel} />
      <CatchBoundary getResetKey={() => panel} errorComponent={BrokenPart}>
        <Suspense fallback={<p className="p-4 text-ink-2">Loading the panel.</p>}>
          <Body {...props} />
        </Suspense>
      </CatchBoundary>
    </section>
  );
}

type SplitterProps = ReturnType<typeof usePanelWidth>;

function Splitter({ width, dragger }: SplitterProps) {
  return (
    // A focusable separator is a widget (WAI-ARIA 1.2 §5.4); the hr element is not.
    // oxlint-disable jsx-a11y/prefer-tag-over-role
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={width}
      aria-valuemin={280}
      aria-valuemax={1600}
      tabIndex={0}
      {...dragger}
      className="absolute inset-y-0 -left-1 z-10 w-2 cursor-col-resize touch-none hover:bg-accent/30 max-md:hidden"
    />
  );
}

function PanelTabs({ view, go, panel }: PanelProps & { readonly panel: PanelName }) {
  const news = useNews(view, panel);
  const files = changedFiles(view.files);
  return (
    <div className="flex items-center border-b border-line px-2 max-md:hidden">
      <nav aria-label="Panels" className="flex min-w-0 flex-1 overflow-x-auto">
        {PANELS.map((name) => (
          <button
            key={name}
            type="button"
            aria-current={name === panel ? "page" : undefined}
            onClick={() => go({ panel: name })}
            className={classNames(
              "inset-focus relative min-h-9 border-b-2 px-2.5 whitespace-nowrap",
              name === panel ? "border-accent font-semibold" : "border-transparent text-ink-2 hover:text-ink",
            )}
          >
            {PANEL_LOOKS[name].label}
            {name === "changes" && files > 0 && <span className="ml-1 text-small text-ink-3">{files}</span>}
            {news.has(name) && <NewDot />}
          </button>
        ))}
      </nav>
      <IconButton label="Close the panel" icon={X} onClick={() => go({})} />
    </div>
  );
}

const NewDot = () => (
  <>
    <span aria-hidden className="ml-1 inline-block size-1.5 rounded-full bg-accent align-middle" />
    <span className="sr-only">, new</span>
  </>
);
