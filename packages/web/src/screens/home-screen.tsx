import { Link } from "@tanstack/react-router";
import { hasOwnModel, useSettings } from "../state/session-queries.ts";
import { FirstRun } from "./first-run.tsx";

/** What stands beside the list when no conversation is open. */
export function HomeScreen() {
  const settings = useSettings();
  if (settings.data !== undefined && !hasOwnModel(settings.data.models)) return <FirstRun />;
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 p-4 text-ink-2">
      <h1>Choose a conversation, or start one.</h1>
      <Link
        to="/new"
        className="rounded-ui border border-line-strong bg-raised px-3 py-1 font-medium text-ink hover:bg-hover"
      >
        New conversation
      </Link>
      <p className="text-small text-ink-3">Press ? for all keys.</p>
    </div>
  );
}
