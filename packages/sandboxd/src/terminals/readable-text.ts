/** Terminal strings (OSC, DCS, SOS, PM, APC), ECMA-48 §5.6, ended or cut. */
const STRINGS = /\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g;
/** Control sequences other than "erase in line", and the other escape sequences, ECMA-48 §5.4 and §5.3. */
const SEQUENCES = /\u001b\[[0-?]*[ -/]*(?:[@-JL-~]|$)|\u001b(?!\[)[ -/]*[0-~]?/g;
/** Controls that move nothing. Tab, line feed, carriage return, backspace and escape are handled elsewhere. */
const CONTROLS = /[\u0000-\u0007\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f]/g;
/** Whatever of an escape is left. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*K?)?/g;
const ERASES = /\u001b\[([0-?]*)[ -/]*K/y;

/**
 * Raw terminal output as a reader would see it: no control codes, lines ended by `\n`, carriage returns, backspaces
 * and "erase in line" applied, bytes that are not UTF-8 replaced.
 */
export function readableText(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) return text;
  const plain = text.replace(STRINGS, "").replace(SEQUENCES, "").replace(CONTROLS, "");
  return plain
    .split("\n")
    .map((line) => overwritten(line.replace(/\r+$/, "")))
    .join("\n");
}

/** A line after its own carriage returns, backspaces and erasures. */
function overwritten(line: string): string {
  if (!/[\r\b\u001b]/.test(line)) return line;
  const cells: string[] = [];
  let column = 0;
  for (let at = 0; at < line.length;) {
    const character = String.fromCodePoint(line.codePointAt(at) ?? 0);
    at += character.length;
    if (character === "\r") column = 0;
    else if (character === "\b") column = Math.max(0, column - 1);
    else if (character === "\u001b") at += erase(line, at - 1, cells, column);
    else cells[column++] = character;
  }
  return Array.from(cells, (cell) => cell ?? " ").join("");
}

/** Applies the "erase in line" at `at`, if one is there, and gives how many characters follow its escape. */
function erase(line: string, at: number, cells: string[], column: number): number {
  ERASES.lastIndex = at;
  const found = ERASES.exec(line);
  if (found === null) return (ESCAPES.exec(line.slice(at, at + 64))?.[0].length ?? 1) - 1;
  if (found[1] === "2") cells.length = 0;
  else if (found[1] === "1") cells.fill(" ", 0, column + 1);
  else cells.length = Math.min(cells.length, column);
  return found[0].length - 1;
}
