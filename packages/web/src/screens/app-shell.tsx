import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ToastRegion } from "../components/toast-region.tsx";
import { useServices } from "../state/services.ts";
import { useFocusOnArrival } from "../state/use-focus-on-arrival.ts";
import { usePhone } from "../state/use-media.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { ConversationList } from "./conversation-list.tsx";
import { HelpDialog } from "./help-dialog.tsx";
import { HomeTabs } from "./home-tabs.tsx";
import { OfflineBanner } from "./offline-banner.tsx";
import { report, undoToast } from "../state/toasts.ts";
import { Palette } from "./palette.tsx";

/** The list on the left and the current place beside it; on a phone one of them at a time. */
export function AppShell() {
  const navigate = useNavigate();
  const services = useServices();
  const [overlay, setOverlay] = useState<"palette" | "help" | null>(null);
  useEffect(() => {
    services.socket();
  }, [services]);
  useShortcuts({
    palette: () => setOverlay("palette"),
    help: () => setOverlay("help"),
    undo: () => undoToast(),
    new: () => report(navigate({ to: "/new" })),
    search: () => document.getElementById("conversation-search")?.focus(),
  });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const home = path === "/";
  useFocusOnArrival(path);
  const phone = usePhone();
  return (
    <div className="flex h-dvh flex-col">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-raised focus:p-2">
        Skip to the content
      </a>
      <OfflineBanner />
      {phone && <ToastRegion />}
      <div className="flex min-h-0 flex-1">
        {phone && home ? (
          <main id="main" tabIndex={-1} className="flex min-w-0 flex-1 outline-none">
            <h1 className="sr-only">Conversations</h1>
            <ConversationList className="flex-1" />
          </main>
        ) : (
          <>
            {!phone && <SideColumn />}
            <main id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
              <Outlet />
            </main>
          </>
        )}
      </div>
      {!path.startsWith("/conversations/") && <HomeTabs />}
      <Palette open={overlay === "palette"} onClose={() => setOverlay(null)} onHelp={() => setOverlay("help")} />
      <HelpDialog open={overlay === "help"} onClose={() => setOverlay(null)} />
    </div>
  );
}

const SideColumn = () => (
  <aside aria-label="Conversations" className="flex w-72 shrink-0 flex-col border-r border-line bg-sunken">
    <ConversationList className="flex-1" />
    <ToastRegion />
  </aside>
);
