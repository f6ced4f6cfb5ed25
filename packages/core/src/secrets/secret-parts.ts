import { bytesFromBase64 } from "../base64.ts";
import { isAddress, isRandom, namesSecret } from "./looks-secret.ts";

const SHORTEST_NAMED = 8;
const SHORTEST_LINE = 20;
const DEEPEST = 3;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * What of a value is secret by itself, as programs may show it alone: what looks random, what a name that says so is before
 * (`password`, `token`…), passwords in addresses, lines of keys; in quoted strings and in base64 too. Words, addresses and
 * numbers are no parts.
 */
export function secretParts(value: string): readonly string[] {
  const parts = new Set<string>();
  addParts(value, parts, 0);
  parts.delete(value);
  return Array.from(parts);
}

function addParts(text: string, parts: Set<string>, depth: number): void {
  if (depth > DEEPEST) return;
  const quoted = strings(text);
  const runs = pieces(text);
  const inner = runs.flatMap(decoded);
  const alone = [
    ...secretlyNamed(text),
    ...quoted.filter(isLong),
    ...linesOf(text).filter(isTokenLine),
    ...runs.filter(isRandom),
    ...inner.flatMap((one) => /^[^\s:]+:(?<password>\S+)$/.exec(one)?.groups?.["password"] ?? []),
  ];
  for (const part of alone) if (isPart(part)) parts.add(part);
  for (const one of [...quoted, ...inner]) if (one !== text) addParts(one, parts, depth + 1);
}

const isPart = (part: string) => part.length >= SHORTEST_NAMED && !/^-----[A-Z0-9 ]*-{0,5}$/.test(part);

/** A text of several lines in a string: a key. */
const isLong = (string: string) => /\n|\\n/.test(string) && string.includes("-----");

const linesOf = (text: string) => (text.includes("\n") ? text.split("\n").map((line) => line.trim()) : []);

/** One without a blank, that is neither an address nor a name with its value. */
const isTokenLine = (line: string) =>
  line.length >= SHORTEST_LINE &&
  /^\S+$/.test(line) &&
  !isAddress(line) &&
  !/^["'{[(<#]|^["']?[\w.-]+["']?[=:]./.test(line);

const NAMED = /(?<![\w./-])(?<name>[\w./-]{1,128})["']?[^\S\n]*[=:][^\S\n]*(?=\S)/g;
const BEFORE_BLANK = /(?<![\w./-])(?<name>[\w-]{1,128})[^\S\n]+(?=[^\s=:"'])/g;
const PASSWORD = /\/\/[^\s/:@]*:(?<value>[^\s/@]+)@/g;

/**
 * What has a name that says it is secret: `name = value`, `name: value`, `"name": "value"`, `--name=value`, to the line's end
 * and to the next blank; a word and what is after it, as in .netrc; and the password of an address.
 */
function secretlyNamed(text: string): readonly string[] {
  const named = after(text, NAMED).flatMap((line) => [line, ...(/^["']/.test(line) ? [] : [upToBlank(line)])]);
  const values = [...named, ...after(text, BEFORE_BLANK).map(upToBlank)].map(unquoted);
  const passwords = Array.from(text.matchAll(PASSWORD), ({ groups }) => groups?.["value"] ?? "");
  return [...values.filter((value) => !isAddress(value)), ...passwords];
}

const upToBlank = (line: string) => /^\S+/.exec(line)?.[0] ?? "";

/** What of the line is after each such name. */
function after(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern)).flatMap(({ 0: before, index, groups }) => {
    if (!namesSecret(groups?.["name"] ?? "")) return [];
    const from = index + before.length;
    const end = text.indexOf("\n", from);
    return [text.slice(from, end === -1 ? text.length : end)];
  });
}

/** Without what ends it in JSON and lists, and without quotes around it. */
function unquoted(text: string): string {
  const ended = text.trim().replace(/[,;]$/, "");
  const quoted = /^(["'])(.*?)\1/.exec(ended)?.[2];
  return quoted ?? ended.replace(/["'\]})]+$/, "");
}

/** The quoted strings of a text, as they are there and as they are meant. */
function strings(text: string): readonly string[] {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^'\n]*)'/g)).flatMap(([, double, single]) => {
    if (double === undefined) return [single ?? ""];
    const meant = unescaped(double);
    return meant === double ? [double] : [double, meant];
  });
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text.replaceAll("\n", "\\n")}"`));
  } catch {
    return text;
  }
}

/** Runs between blanks, quotes and marks, with the `=` that base64 ends with; those of addresses by the parts of these. */
function pieces(text: string): readonly string[] {
  const plain = text.replace(/\\(?:u[0-9a-fA-F]{4}|[\s\S])/g, " ");
  const runs = plain.match(/[^\s"'`=:,;@&?#|(){}[\]<>]+={0,2}/g) ?? [];
  return runs.flatMap((run) => (isRandom(run) ? [run] : [run, ...run.split("/")]));
}

/** What is printed when a piece is read as base64, if that is a text. */
function decoded(piece: string): readonly string[] {
  if (!/^[A-Za-z0-9+/_-]{11,}={0,2}$/.test(piece)) return [];
  try {
    const text = UTF8.decode(bytesFromBase64(piece.replaceAll("-", "+").replaceAll("_", "/")));
    return /[^\P{C}\s]/u.test(text) ? [] : [text];
  } catch {
    return [];
  }
}
