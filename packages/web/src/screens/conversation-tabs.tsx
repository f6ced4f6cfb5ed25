import {
  AppWindow,
  FileDiff,
  Folder,
  Globe,
  type LucideIcon,
  MessageSquare,
  ScrollText,
  SquareTerminal,
} from "lucide-react";
import { changedFiles } from "@handrail/protocol/file-changes";
import { classNames } from "../components/class-names.ts";
import type { ConversationView } from "../state/conversation-store.ts";
import { formatCount } from "../state/format.ts";
import { type PanelName, PANELS, type Place } from "../state/place.ts";
import type { GoTo } from "./conversation-screen.tsx";

/** Icon and word of each panel. */
export const PANEL_LOOKS: Readonly<Record<PanelName, { readonly label: string; readonly icon: LucideIcon }>> = {
  changes: { label: "Changes", icon: FileDiff },
  files: { label: "Files", icon: Folder },
  terminal: { label: "Terminal", icon: SquareTerminal },
  preview: { label: "Preview", icon: AppWindow },
  network: { label: "Network", icon: Globe },
  log: { label: "Log", icon: ScrollText },
};

type TabsProps = { readonly view: ConversationView; readonly place: Place; readonly go: GoTo };

/** The phone's bar at the thumb, inside a conversation: one zone at a time. */
export function ConversationTabs({ view, place, go }: TabsProps) {
  const files = changedFiles(view.files);
  const tabs = [
    { panel: undefined, label: "Talk", icon: MessageSquare, count: 0 },
    ...PANELS.map((panel) => ({
      panel,
      ...PANEL_LOOKS[panel],
      count: panel === "changes" ? files : 0,
    })),
  ];
  return (
    <nav aria-label="Zones" className="flex border-t border-line bg-raised pb-[env(safe-area-inset-bottom)] md:hidden">
      {tabs.map(({ panel, label, icon: Icon, count }) => (
        <button
          key={label}
          type="button"
          aria-current={place.panel === panel ? "page" : undefined}
          onClick={() => go(panel === undefined ? {} : { panel })}
          className={classNames(
            "inset-focus flex min-h-12 flex-1 flex-col items-center justify-center gap-0.5 text-small",
            place.panel === panel ? "font-semibold text-accent" : "text-ink-2",
          )}
        >
          <span className="flex items-center gap-0.5">
            <Icon size={18} aria-hidden />
            {count > 0 && formatCount(count)}
          </span>{" "}
          {label}
        </button>
      ))}
    </nav>
  );
}
