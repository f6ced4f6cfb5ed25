import { type ConversationSummary, shownStatus } from "@handrail/protocol/summary";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { Age } from "../components/age.tsx";
import { IconButton } from "../components/button.tsx";
import { classNames } from "../components/class-names.ts";
import { Menu } from "../components/menu.tsx";
import { useFocusOnLeave } from "../components/use-focus-on-leave.ts";
import { StatusBadge } from "../components/status-badge.tsx";
import { archiveConversation, deleteConversation } from "../state/conversation-actions.ts";
import { formatMoney, plural } from "../state/format.ts";
import { sourceName } from "../state/group-conversations.ts";
import type { Place } from "../state/place.ts";
import { useServices } from "../state/services.ts";
import { DEMO_LABEL, isDemoModel } from "../state/session-queries.ts";
import { report } from "../state/toasts.ts";
import { useOnline } from "../state/use-known-now.ts";
import { useNow } from "../state/use-now.ts";
import { RenameField } from "./rename-field.tsx";

/** One conversation in the list. */
export function ConversationRow({ row }: { readonly row: ConversationSummary }) {
  const [renaming, setRenaming] = useState(false);
  const place = useFocusOnLeave<HTMLDivElement>(row.id);
  const link = useRef<HTMLAnchorElement>(null);
  const renamed = (back: boolean) => {
    setRenaming(false);
    if (back) requestAnimationFrame(() => link.current?.focus());
  };
  const current = useParams({ strict: false }).conversationId === row.id;
  return (
    <div
      ref={place}
      data-place={row.id}
      className={classNames("group relative mx-1.5 rounded-ui", current ? "bg-accent-soft" : "hover:bg-hover")}
    >
      {renaming ? (
        <RenameField row={row} onDone={renamed} />
      ) : (
        <>
          <Link
            ref={link}
            to="/conversations/$conversationId"
            params={{ conversationId: row.id }}
            search={(search: Place) => (search.panel === undefined ? {} : { panel: search.panel })}
            aria-current={current ? "page" : undefined}
            className="inset-focus block rounded-ui px-2 py-1.5 max-md:py-2.5"
          >
            <div dir="auto" className={classNames("truncate pr-7 text-left", current && "font-semibold")}>
              {row.title}
            </div>
            <RowFacts row={row} />
          </Link>
          <RowMenu row={row} onRename={() => setRenaming(true)} />
        </>
      )}
    </div>
  );
}

function RowFacts({ row }: { readonly row: ConversationSummary }) {
  const demo = isDemoModel(row.model);
  return (
    <div className="mt-0.5 text-small text-ink-2 max-md:pr-7">
      <div className="flex flex-wrap items-center gap-x-2 whitespace-nowrap">
        <StatusBadge status={shownStatus(row, useNow(60_000))} />
        <span className="min-w-0 flex-[1_1_5rem] truncate">{sourceName(row.source)}</span>
        {/* Where there is no room beside the repository, the numbers are on a line of their own. */}
        <span className="ml-auto flex flex-wrap justify-end gap-x-2">
          <DiffSize changes={row.changes} />
          {row.costUsd > 0 && <span>{formatMoney(row.costUsd)}</span>}
          <span className="text-ink-3">
            <Age at={row.updatedAt} short />
          </span>
        </span>
      </div>
      {demo && <div className="font-semibold text-warn">{DEMO_LABEL}</div>}
    </div>
  );
}

function DiffSize({ changes }: Pick<ConversationSummary, "changes">) {
  if (changes.files === 0) return null;
  const files = plural(changes.files, "file");
  if (changes.added + changes.removed === 0) return <span>{files}</span>;
  return (
    <span title={`${files} changed`}>
      <span className="text-ok">+{changes.added}</span> <span className="text-bad">−{changes.removed}</span>
    </span>
  );
}

function RowMenu({ row, onRename }: { readonly row: ConversationSummary; readonly onRename: () => void }) {
  const { client } = useServices();
  const online = useOnline();
  const navigate = useNavigate();
  const current = useParams({ strict: false }).conversationId === row.id;
  const leave = () => {
    if (current) report(navigate({ to: "/" }));
  };
  return (
    <div className="absolute top-1 right-1">
      <Menu
        trigger={
          <IconButton
            label={`Actions for ${row.title}`}
            icon={Ellipsis}
            disabled={!online}
            className="size-6 max-md:size-9"
          />
        }
        items={[
          { label: "Rename", icon: Pencil, onSelect: onRename },
          {
            label: row.archived ? "Bring back" : "Archive",
            icon: row.archived ? ArchiveRestore : Archive,
            onSelect: () => archiveConversation(client, row, !row.archived),
          },
          {
            label: "Delete",
            icon: Trash2,
            danger: true,
            onSelect: () => {
              leave();
              deleteConversation(client, row);
            },
          },
        ]}
      />
    </div>
  );
}
