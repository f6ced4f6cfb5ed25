import type { AnswerOf } from "@handrail/client/create-client";
import type { Routes } from "@handrail/protocol/routes";
import { useQuery } from "@tanstack/react-query";
import { CornerLeftUp, Folder, FolderGit2 } from "lucide-react";
import { useState } from "react";
import { useServices } from "../state/services.ts";
import { Button } from "./button.tsx";
import { Failure } from "./empty.tsx";

type FolderBrowserProps = { readonly start: string; readonly onChoose: (path: string) => void };

const ROW = "inset-focus flex min-h-7 w-full items-center gap-2 px-2 text-left hover:bg-hover max-md:min-h-10";

/** Folders on the server's machine, one level at a time. */
export function FolderBrowser({ start, onChoose }: FolderBrowserProps) {
  const { client } = useServices();
  const [path, setPath] = useState(start);
  const folders = useQuery({
    queryKey: ["folders", path],
    queryFn: ({ signal }) => client.folders({ query: path === "" ? {} : { path }, signal }),
    placeholderData: (before) => before,
    retry: false,
  });
  if (folders.isError) {
    return (
      <Failure error={folders.error}>
        <Button onClick={() => setPath("")}>Go to the home folder</Button>
      </Failure>
    );
  }
  if (folders.data === undefined) return <p className="p-2 text-ink-2">Reading the folder.</p>;
  return (
    <div>
      <div className="flex items-center gap-2">
        <span className="min-w-0 flex-1 font-mono [overflow-wrap:anywhere]">{folders.data.path}</span>
        <Button tone="primary" onClick={() => onChoose(folders.data.path)}>
          Use this folder
        </Button>
      </div>
      <FolderList level={folders.data} onGo={setPath} />
    </div>
  );
}

type Level = AnswerOf<Routes["folders"]>;

function FolderList({ level, onGo }: { readonly level: Level; readonly onGo: (path: string) => void }) {
  const { parent } = level;
  return (
    <ul className="mt-2 max-h-[45dvh] overflow-auto rounded-ui border border-line py-1">
      {parent !== null && (
        <li>
          <button type="button" className={ROW} onClick={() => onGo(parent)}>
            <CornerLeftUp size={14} aria-hidden />
            Up
          </button>
        </li>
      )}
      {level.folders.map((folder) => (
        <li key={folder.path}>
          <button type="button" className={ROW} onClick={() => onGo(folder.path)}>
            {folder.git ? (
              <FolderGit2 size={14} aria-hidden className="text-accent" />
            ) : (
              <Folder size={14} aria-hidden />
            )}
            <span className="truncate">{folder.name}</span>
            {folder.git && <span className="ml-auto text-small text-ink-3">git</span>}
          </button>
        </li>
      ))}
      {level.folders.length === 0 && <li className="px-2 text-ink-3">No folders in here.</li>}
    </ul>
  );
}
