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
  const { data } = folders;
  const { parent } = data;
  return (
    <div>
      <div className="flex items-center gap-2">
        <span className="min-w-0 flex-1 font-mono [overflow-wrap:anywhere]">{data.path}</span>
        <Button tone="primary" onClick={() => onChoose(data.path)}>
          Use this folder
        </Button>
      </div>
      <ul className="mt-2 max-h-[45dvh] overflow-auto rounded-ui border border-line py-1">
        {parent !== null && (
          <li>
            <button type="button" className={ROW} onClick={() => setPath(parent)}>
              <CornerLeftUp size={14} aria-hidden />
              Up
            </button>
          </li>
        )}
        {data.folders.map((folder) => (
          <li key={folder.path}>
            <button type="button" className={ROW} onClick={() => setPath(folder.path)}>
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
        {data.folders.length === 0 && <li className="px-2 text-ink-3">No folders in here.</li>}
      </ul>
    </div>
  );
}
