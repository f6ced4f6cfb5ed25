/** A panel beside the conversation. */
export type PanelName = "changes" | "files" | "terminal" | "preview" | "network" | "log";

export const PANELS: readonly PanelName[] = ["changes", "files", "terminal", "preview", "network", "log"];

/** Where in a conversation the user is, as its URL says. No panel: the conversation alone. */
export type Place = {
  readonly panel?: PanelName;
  readonly file?: string;
  readonly terminal?: string;
  /** What is open above it all. */
  readonly dialog?: DialogName;
};

/** What can be open above a conversation. */
export type DialogName = "settings" | "checkpoints";

const DIALOGS: readonly DialogName[] = ["settings", "checkpoints"];

/** Names that terminals can have. */
const TERMINAL = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** The place in a URL's search; what cannot be read is left out. */
export function readPlace(search: Readonly<Record<string, unknown>>): Place {
  const panel = PANELS.find((name) => name === search["panel"]);
  const dialog = DIALOGS.find((name) => name === search["dialog"]);
  const { file, terminal } = search;
  return {
    ...(panel === undefined ? {} : { panel }),
    ...(typeof file === "string" && file !== "" ? { file } : {}),
    ...(typeof terminal === "string" && TERMINAL.test(terminal) ? { terminal } : {}),
    ...(dialog === undefined ? {} : { dialog }),
  };
}
