// CSI, OSC, DCS/PM/APC/SOS strings, two-character escapes (ECMA-48 §5), in that order.
const ESCAPES =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[PX^_][^\u001b]*(?:\u001b\\|$)|\u001b[ -/]*[0-~]|\u009b[0-?]*[ -/]*[@-~]/g;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Output of a program as text that is safe to show: escape sequences and control characters left out, carriage returns
 * and backspaces applied within their line, marks that reorder text made visible.
 */
export function plainText(output: string): string {
  const text = output
    .replaceAll("\r\n", "\n")
    .replaceAll(ESCAPES, "")
    .replaceAll(DIRECTIONS, (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase()}]`);
  if (!text.includes("\r") && !text.includes("\b")) return text.replaceAll(CONTROLS, "");
  return text
    .split("\n")
    .map((line) => overwritten(line).replaceAll(CONTROLS, ""))
    .join("\n");
}

/** A line as a terminal shows it after its carriage returns and backspaces. */
function overwritten(line: string): string {
  if (!line.includes("\r") && !line.includes("\b")) return line;
  let shown: string[] = [];
  let column = 0;
  for (const character of line) {
    if (character === "\r") column = 0;
    else if (character === "\b") column = Math.max(0, column - 1);
    else shown[column++] = character;
  }
  return shown.join("");
}

/** The last `count` lines, and how many were before them. Trailing line breaks are left out. */
export function lastLines(text: string, count: number): { readonly text: string; readonly before: number } {
  const lines = text.trimEnd().split("\n");
  const before = Math.max(0, lines.length - count);
  return { text: lines.slice(before).join("\n"), before };
}

/** The first `count` lines, and how many come after them. Trailing line breaks are left out. */
export function firstLines(text: string, count: number): { readonly text: string; readonly after: number } {
  const lines = text.trimEnd().split("\n");
  return { text: lines.slice(0, count).join("\n"), after: Math.max(0, lines.length - count) };
}
