import type { WorkspaceSource } from "./sources.ts";

/** What lists show and search for a source: the folder's path, the repository's URL, or the word for the kind. */
export function sourceLabel(source: WorkspaceSource): string {
  switch (source.type) {
    case "folder":
      return source.path;
    case "git":
      return source.branch === undefined ? source.url : `${source.url} ${source.branch}`;
    case "empty":
      return "empty";
    case "demo":
      return "demo";
  }
}
