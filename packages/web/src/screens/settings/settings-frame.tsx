import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTitle } from "../../state/use-title.ts";

const TABS = [
  { to: "/settings", label: "General" },
  { to: "/settings/models", label: "Models" },
  { to: "/settings/keys", label: "Keys" },
  { to: "/settings/limits", label: "Limits" },
  { to: "/settings/spend", label: "Spend" },
  { to: "/settings/secrets", label: "Secrets" },
  { to: "/settings/network", label: "Network" },
  { to: "/settings/setups", label: "Set-ups" },
] as const;

/** The settings' places, each with its URL. */
export function SettingsFrame() {
  const tabs = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useTitle(`${TABS.find(({ to }) => to === path)?.label ?? "General"}, settings`);
  // On a phone they do not all fit.
  useEffect(() => {
    const tab = [...(tabs.current?.querySelectorAll("a") ?? [])].find((link) => link.pathname === path);
    tab?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [path]);
  return (
    <div className="h-full overflow-auto">
      <div className="mx-auto flex max-w-4xl flex-col gap-5 p-6 max-md:p-4">
        <h1 className="text-title font-semibold">Settings</h1>
        <nav
          ref={tabs}
          aria-label="Settings"
          className="-mx-1 flex gap-1 overflow-x-auto border-b border-line px-1 pb-1"
        >
          {TABS.map(({ to, label }) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ exact: true }}
              className="flex min-h-8 shrink-0 items-center rounded-ui px-2.5 text-ink-2 hover:bg-hover data-[status=active]:bg-accent-soft data-[status=active]:font-medium data-[status=active]:text-ink max-md:min-h-10"
            >
              {label}
            </Link>
          ))}
        </nav>
        <Outlet />
      </div>
    </div>
  );
}
