import { PreviewPath } from "@handrail/protocol/preview-routes";

/** What a signed path says: its pass, which is not checked yet, and the path of the program that it leads to. */
export type OpenedPath = { readonly pass: string; readonly path: string };

const START = "/__handrail/open/";

/** The signed path under which a browser opens `path` (with its query) of a preview. */
export function openPath(pass: string, path: string): string {
  return START + pass + path;
}

/** Undefined for a path that is not signed. What it leads to is of the same origin, whatever was asked for. */
export function readOpenPath(asked: string): OpenedPath | undefined {
  if (!asked.startsWith(START)) return undefined;
  const rest = asked.slice(START.length);
  const end = rest.search(/[/?]/);
  if (end === -1) return { pass: rest, path: "/" };
  const path = rest.slice(end);
  return { pass: rest.slice(0, end), path: PreviewPath.safeParse(path).data ?? "/" };
}
