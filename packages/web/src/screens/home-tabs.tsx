import { Link } from "@tanstack/react-router";
import { List, Plus, Settings } from "lucide-react";

const TABS = [
  { to: "/", label: "Conversations", icon: List },
  { to: "/new", label: "New", icon: Plus },
  { to: "/settings", label: "Settings", icon: Settings },
] as const;

/** The phone's bar at the thumb, outside conversations. */
export function HomeTabs() {
  return (
    <nav aria-label="Places" className="flex border-t border-line bg-raised pb-[env(safe-area-inset-bottom)] md:hidden">
      {TABS.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to !== "/settings" }}
          className="inset-focus flex min-h-12 flex-1 flex-col items-center justify-center gap-0.5 text-small text-ink-2 data-[status=active]:font-semibold data-[status=active]:text-accent"
        >
          <Icon size={18} aria-hidden />
          {label}
        </Link>
      ))}
    </nav>
  );
}
