import type { Conversations } from "../conversations/conversations.ts";
import type { WorkspaceViews } from "../conversations/workspace-views.ts";
import type { Handlers } from "../http/handlers.ts";
import type { Deliver } from "../workspaces/deliver.ts";

type Names = "changes" | "changedFile" | "patch" | "files" | "file" | "terminals" | "deliver";

export type WorkspaceHandlerParts = {
  readonly views: WorkspaceViews;
  readonly conversations: Pick<Conversations, "get">;
  readonly deliver: Deliver;
};

const VIEW_BYTES = 1024 ** 2;
const CHUNK_BYTES = 4 * 1024 ** 2;
const MAX_ENTRIES = 5000;

export function workspaceHandlers({ views, conversations, deliver }: WorkspaceHandlerParts): Pick<Handlers, Names> {
  return {
    changes: ({ params, signal }) => views.changes(params.id, signal),
    changedFile: ({ params, query, signal }) =>
      views.call(params.id, "workspace.file", { path: query.path, capBytes: VIEW_BYTES }, signal),
    async patch({ params, signal }) {
      const { title } = await conversations.get(params.id);
      return {
        contentType: "text/x-patch; charset=utf-8",
        content: await views.patch(params.id, signal),
        name: `${fileName(title)}.patch`,
      };
    },
    files: ({ params, query, signal }) =>
      views.call(params.id, "file.list", { path: query.path ?? ".", limit: MAX_ENTRIES, within: "workspace" }, signal),
    file: ({ params, query, signal }) => {
      const args = { path: query.path, offset: query.offset ?? 0, length: CHUNK_BYTES, within: "workspace" as const };
      return views.call(params.id, "file.bytes", args, signal);
    },
    terminals: ({ params, signal }) => views.call(params.id, "terminal.list", {}, signal),
    deliver: ({ params, body, signal }) => deliver(params.id, body, signal),
  };
}

/** A name that is safe in a header and on every file system. */
function fileName(title: string): string {
  const name = title
    .normalize("NFKD")
    .replaceAll(/[^a-zA-Z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60)
    .toLowerCase();
  return name === "" ? "changes" : name;
}
