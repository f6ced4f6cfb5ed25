import { AppError } from "@handrail/protocol/errors";

/** What an xterm sends for a key ("Xterm Control Sequences", PC-style function keys, normal cursor mode). */
const KEYS: Readonly<Record<string, string>> = {
  enter: "\r",
  tab: "\t",
  "shift-tab": "\u001b[Z",
  esc: "\u001b",
  escape: "\u001b",
  space: " ",
  backspace: "\u007f",
  delete: "\u001b[3~",
  insert: "\u001b[2~",
  up: "\u001b[A",
  down: "\u001b[B",
  right: "\u001b[C",
  left: "\u001b[D",
  home: "\u001b[H",
  end: "\u001b[F",
  "page-up": "\u001b[5~",
  "page-down": "\u001b[6~",
  f1: "\u001bOP",
  f2: "\u001bOQ",
  f3: "\u001bOR",
  f4: "\u001bOS",
  f5: "\u001b[15~",
  f6: "\u001b[17~",
  f7: "\u001b[18~",
  f8: "\u001b[19~",
  f9: "\u001b[20~",
  f10: "\u001b[21~",
  f11: "\u001b[23~",
  f12: "\u001b[24~",
};

/**
 * The characters that a terminal sends for a named key: those of the table, `ctrl-a` to `ctrl-z`, and `ctrl-\`,
 * `ctrl-]`, `ctrl-[`, `ctrl-_`.
 * @throws AppError `tool_arguments` for a name that is no key
 */
export function keyText(name: string): string {
  const key = name.toLowerCase();
  if (Object.hasOwn(KEYS, key)) return KEYS[key] ?? "";
  const control = /^ctrl-([a-z[\\\]_])$/.exec(key)?.[1];
  if (control !== undefined) return String.fromCharCode(control.toUpperCase().charCodeAt(0) & 0x1f);
  const names = Object.keys(KEYS).join(", ");
  throw new AppError("tool_arguments", `There is no key of this name. Use ctrl-a to ctrl-z, or one of: ${names}.`);
}
