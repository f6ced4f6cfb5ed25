/** What a key asks for. */
export type Shortcut =
  | "palette"
  | "search"
  | "new"
  | "next"
  | "previous"
  | "escape"
  | "undo"
  | "help"
  | "go.changes"
  | "go.files"
  | "go.terminal"
  | "go.preview"
  | "go.network"
  | "go.checkpoints"
  | "go.log"
  | "go.conversation"
  | "go.settings";

export type KeyPress = {
  readonly key: string;
  readonly command: boolean;
  readonly alt: boolean;
  /** The focus is where text is typed. */
  readonly typing: boolean;
  readonly atMs: number;
};

/** A first key of two, and when it was pressed. */
export type Pending = { readonly key: string; readonly atMs: number } | null;

const SINGLE: Readonly<Record<string, Shortcut>> = {
  "/": "search",
  c: "new",
  j: "next",
  k: "previous",
  z: "undo",
  "?": "help",
};

const AFTER_G: Readonly<Record<string, Shortcut>> = {
  c: "go.changes",
  f: "go.files",
  t: "go.terminal",
  p: "go.preview",
  n: "go.network",
  k: "go.checkpoints",
  l: "go.log",
  g: "go.conversation",
  s: "go.settings",
};

const TOGETHER_MS = 1200;

type Read = { readonly shortcut: Shortcut | null; readonly pending: Pending };

/** What a key press means, given the first key of two. Keys typed into a field mean only their text. Pure. */
export function readShortcut(pending: Pending, press: KeyPress): Read {
  if (press.command) return { shortcut: readCommand(press), pending: null };
  if (press.key === "Escape") return { shortcut: "escape", pending: null };
  if (press.typing || press.alt) return { shortcut: null, pending: null };
  return readPlainKey(pending, press);
}

/** In a field the browser's own undo is meant. */
function readCommand({ key, typing }: KeyPress): Shortcut | null {
  if (key.toLowerCase() === "k") return "palette";
  return key === "z" && !typing ? "undo" : null;
}

function readPlainKey(pending: Pending, press: KeyPress): Read {
  if (pending?.key === "g" && press.atMs - pending.atMs <= TOGETHER_MS) {
    return { shortcut: AFTER_G[press.key] ?? null, pending: null };
  }
  if (press.key === "g") return { shortcut: null, pending: { key: "g", atMs: press.atMs } };
  return { shortcut: SINGLE[press.key] ?? null, pending: null };
}

/** Every shortcut with its keys, for the help. */
export const SHORTCUT_HELP: readonly { readonly keys: string; readonly does: string }[] = [
  { keys: "Ctrl K or ⌘ K", does: "Open the palette" },
  { keys: "/", does: "Search conversations" },
  { keys: "c", does: "New conversation" },
  { keys: "j, k", does: "Next, previous call" },
  { keys: "Enter", does: "Open or close the call; send the message" },
  { keys: "Shift Enter", does: "New line in a message" },
  { keys: "Esc", does: "Close what is open; stop the run (asks first)" },
  { keys: "z, Ctrl Z or ⌘ Z", does: "Undo what was just done, while a line says so" },
  { keys: "g c", does: "Changes" },
  { keys: "g f", does: "Files" },
  { keys: "g t", does: "Terminal" },
  { keys: "Ctrl Shift Enter", does: "Leave the terminal" },
  { keys: "g p", does: "Preview" },
  { keys: "g n", does: "Network" },
  { keys: "g k", does: "Checkpoints" },
  { keys: "g l", does: "Log" },
  { keys: "g g", does: "Conversation only" },
  { keys: "g s", does: "Its model, network and limits" },
  { keys: "?", does: "This list" },
];
