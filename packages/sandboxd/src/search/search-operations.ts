import type { Handlers } from "../handlers.ts";
import { ripgrep } from "./ripgrep.ts";
import { searchContent } from "./search-content.ts";
import { searchFiles } from "./search-files.ts";

type SearchPlace = { readonly workspace: string; readonly env: Readonly<Record<string, string>> };

/** The operations that search. `workspace` is a real path; `env.PATH` may lead to ripgrep. */
export function searchOperations(place: SearchPlace): Pick<Handlers, "search.content" | "search.files"> {
  const run = ripgrep(place.workspace, place.env);
  return {
    "search.content": (args, call) => searchContent(place, run, args, call.signal),
    "search.files": (args, call) => searchFiles(place, run, args, call.signal),
  };
}
