import type { FileEntry } from "@handrail/protocol/sandboxd/file-operations";
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, File, Folder, Link2 } from "lucide-react";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { classNames } from "../components/class-names.ts";
import { Empty, Failure } from "../components/empty.tsx";
import { formatBytes } from "../state/format.ts";
import { useServices } from "../state/services.ts";
import { FileViewer } from "./file-viewer.tsx";
import type { PanelProps } from "./panel-zone.tsx";
import { filesQuery } from "./query-workspace.ts";

/** The workspace as a tree, and one of its files. */
export function FilesPanel({ conversationId, place, go }: PanelProps) {
  const { file } = place;
  const choose = (path: string) => go({ panel: "files", file: path });
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div
        className={classNames(
          "overflow-auto py-1",
          file === undefined ? "flex-1" : "max-h-[40%] shrink-0 border-b border-line max-md:hidden",
        )}
      >
        <Directory conversationId={conversationId} path="" depth={0} chosen={file} onChoose={choose} />
      </div>
      {file !== undefined && (
        <>
          <Button
            tone="quiet"
            icon={ChevronLeft}
            className="self-start md:hidden"
            onClick={() => go({ panel: "files" })}
          >
            All files
          </Button>
          <FileViewer key={file} conversationId={conversationId} path={file} />
        </>
      )}
    </div>
  );
}

type DirectoryProps = {
  readonly conversationId: string;
  readonly path: string;
  readonly depth: number;
  readonly chosen: string | undefined;
  readonly onChoose: (path: string) => void;
};

function Directory(props: DirectoryProps) {
  const { client } = useServices();
  const files = useQuery(filesQuery(client, props.conversationId, props.path));
  if (files.isError) return <Failure error={files.error} />;
  if (files.data === undefined) return <p className="px-3 text-ink-3">Reading the folder.</p>;
  const entries = [...files.data.entries].sort(byKindAndName);
  if (entries.length === 0) return <Empty>{props.depth === 0 ? "The workspace is empty." : "Empty folder."}</Empty>;
  return (
    <ul>
      {entries.map((entry) => (
        <Entry key={entry.name} {...props} entry={entry} />
      ))}
      {files.data.more && <li className="px-3 text-ink-3">More entries than are shown.</li>}
    </ul>
  );
}

const byKindAndName = (left: FileEntry, right: FileEntry) =>
  Number(right.type === "directory") - Number(left.type === "directory") || left.name.localeCompare(right.name);

function Entry({ entry, ...props }: DirectoryProps & { readonly entry: FileEntry }) {
  const [open, setOpen] = useState(false);
  const path = props.path === "" ? entry.name : `${props.path}/${entry.name}`;
  const folder = entry.type === "directory";
  const chosen = props.chosen === path;
  return (
    <li>
      <button
        type="button"
        aria-expanded={folder ? open : undefined}
        aria-current={chosen}
        onClick={() => (folder ? setOpen(!open) : props.onChoose(path))}
        style={{ paddingLeft: 8 + props.depth * 16 }}
        className={classNames(
          "inset-focus flex min-h-7 w-full items-center gap-1.5 pr-3 text-left max-md:min-h-10",
          chosen ? "bg-accent-soft" : "hover:bg-hover",
        )}
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={classNames("shrink-0 text-ink-3", open && "rotate-90", !folder && "invisible")}
        />
        <EntryName entry={entry} />
      </button>
      {open && <Directory {...props} path={path} depth={props.depth + 1} />}
    </li>
  );
}

const ENTRY_ICONS = { directory: Folder, link: Link2, file: File, other: File } as const;

function EntryName({ entry }: { readonly entry: FileEntry }) {
  const Icon = ENTRY_ICONS[entry.type];
  return (
    <>
      <Icon size={14} aria-hidden className="shrink-0 text-ink-2" />
      <span className="truncate">{entry.name}</span>
      {entry.target !== undefined && <span className="truncate text-small text-ink-3">→ {entry.target}</span>}
      {entry.type === "file" && (
        <span className="ml-auto shrink-0 text-small text-ink-3">{formatBytes(entry.size)}</span>
      )}
    </>
  );
}
