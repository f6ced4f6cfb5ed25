import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Archive, Plus, Settings, SunMoon } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useState } from "react";
import { Button, IconButton } from "../components/button.tsx";
import { classNames } from "../components/class-names.ts";
import { Empty, Failure } from "../components/empty.tsx";
import { INPUT } from "../components/field.tsx";
import { conversationsQuery } from "../state/conversation-queries.ts";
import { groupConversations } from "../state/group-conversations.ts";
import { hiddenConversations } from "../state/conversation-actions.ts";
import { useServices } from "../state/services.ts";
import { chooseTheme, nextTheme, theme } from "../state/theme.ts";
import { useNow } from "../state/use-now.ts";
import { useValue } from "../state/value-store.ts";
import { report } from "../state/toasts.ts";
import { ConversationRow } from "./conversation-row.tsx";

/** The key is spent here: it does not ask to stop a run too. */
function leaveOnEscape(event: KeyboardEvent<HTMLInputElement>): void {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.currentTarget.blur();
}

/** The user's conversations: what needs them first. */
export function ConversationList({ className }: { readonly className?: string }) {
  const [search, setSearch] = useState("");
  const [archived, setArchived] = useState(false);
  return (
    <div className={classNames("flex min-h-0 min-w-0 flex-col bg-sunken", className)}>
      <ListHeader />
      <div className="flex items-center gap-1 px-3 pb-2">
        <input
          id="conversation-search"
          type="search"
          aria-label="Search conversations"
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={leaveOnEscape}
          className={INPUT}
        />
        <IconButton
          label={archived ? "Show current conversations" : "Show archived conversations"}
          icon={Archive}
          aria-pressed={archived}
          onClick={() => setArchived(!archived)}
          className={archived ? "bg-accent-soft" : ""}
        />
      </div>
      <Rows search={useDeferredValue(search)} archived={archived} />
    </div>
  );
}

function ListHeader() {
  const chosen = useValue(theme);
  return (
    <div className="flex items-center gap-1 px-3 py-2">
      <Link to="/" className="flex-1 font-semibold">
        Handrail
      </Link>
      <IconButton
        label={`Theme: ${chosen}. Change to ${nextTheme(chosen)}`}
        icon={SunMoon}
        onClick={() => chooseTheme(nextTheme(chosen))}
      />
      <Link
        to="/settings"
        aria-label="Settings"
        title="Settings"
        className="rounded-ui p-1.5 text-ink-2 hover:bg-hover max-md:hidden"
      >
        <Settings size={16} aria-hidden />
      </Link>
      <Link
        to="/new"
        className="flex min-h-7 items-center gap-1 rounded-ui bg-accent-solid px-2 font-medium text-on-accent hover:brightness-110 max-md:min-h-10"
      >
        <Plus size={14} aria-hidden />
        New
      </Link>
    </div>
  );
}

function Rows({ search, archived }: { readonly search: string; readonly archived: boolean }) {
  const { client } = useServices();
  const list = useInfiniteQuery(conversationsQuery(client, search, archived));
  const hidden = useValue(hiddenConversations);
  const now = useNow(60_000);
  if (list.isLoadingError) return <Failure error={list.error} />;
  if (list.data === undefined) return <p className="px-3 text-ink-3">Loading conversations.</p>;
  const rows = list.data.pages.flatMap((page) => page.conversations).filter((row) => !hidden.has(row.id));
  if (rows.length === 0) return <NoRows search={search} archived={archived} />;
  return (
    <nav aria-label="Conversations by state" className="min-h-0 flex-1 overflow-y-auto pb-4">
      {groupConversations(rows, now).map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h2 className="px-3 pt-3 pb-1 text-small font-semibold text-ink-3">
            {group.title} <span className="font-normal">{group.rows.length}</span>
          </h2>
          {group.rows.map((row) => (
            <ConversationRow key={row.id} row={row} />
          ))}
        </section>
      ))}
      {list.hasNextPage && (
        <Button tone="quiet" className="mx-3 mt-2" onClick={() => report(list.fetchNextPage())}>
          {list.isFetchingNextPage ? "Loading more." : "Show older ones"}
        </Button>
      )}
    </nav>
  );
}

function NoRows({ search, archived }: { readonly search: string; readonly archived: boolean }) {
  if (search !== "") return <Empty>No conversation has “{search}” in its title.</Empty>;
  if (archived) return <Empty>Nothing is archived. Archiving puts a conversation here and stops its sandbox.</Empty>;
  return <Empty>No conversations yet. New gives the agent its first task.</Empty>;
}
