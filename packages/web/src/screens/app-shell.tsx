import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { classNames } from "../components/class-names.ts";
import { useServices } from "../state/services.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { ConversationList } from "./conversation-list.tsx";
import { HelpDialog } from "./help-dialog.tsx";
import { HomeTabs } from "./home-tabs.tsx";
import { OfflineBanner } from "./offline-banner.tsx";
import { report } from "../state/toasts.ts";
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
    new: () => report(navigate({ to: "/new" })),
    search: () => document.getElementById("conversation-search")?.focus(),
  });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const home = path === "/";
  return (
    <div className="flex h-dvh flex-col">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-raised focus:p-2">
        Skip to the content
      </a>
      <OfflineBanner />
      <div className="flex min-h-0 flex-1">
        <ConversationList className={classNames("md:w-72 md:border-r", home ? "max-md:flex-1" : "max-md:hidden")} />
        <main id="main" tabIndex={-1} className={classNames("min-w-0 flex-1 outline-none", home && "max-md:hidden")}>
          <Outlet />
        </main>
      </div>
      {!path.startsWith("/conversations/") && <HomeTabs />}
      <Palette open={overlay === "palette"} onClose={() => setOverlay(null)} onHelp={() => setOverlay("help")} />
      <HelpDialog open={overlay === "help"} onClose={() => setOverlay(null)} />
    </div>
  );
}
