import { base64FromBytes } from "../base64.ts";
import { secretParts } from "./secret-parts.ts";

/** A secret's value under the name that stands for it. */
export type NamedValue = { readonly name: string; readonly value: string };

/** A shorter text would be found everywhere by chance. */
export const SHORTEST_SECRET = 8;

const BLOCK = 20;
const WRAPPED_AT = 40;
const DUMPED = 16;
const LONG = 512;
const LONG_PART = 96;
const UTF8 = new TextEncoder();

/**
 * The texts under which a value may come out of a sandbox, as bytes: itself, as JSON, URLs, shells, hex and base64 write
 * it, at each of the three alignments of base64, and eight bytes of it as dumps write them. Of long encoded forms the
 * blocks too, so that line ends within them hide nothing. Each part that is secret by itself has them all.
 */
export function secretForms(value: string): readonly Uint8Array[] {
  if (value.length < SHORTEST_SECRET) return [];
  const whole = value.includes("\n") ? [value, value.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n")] : [value];
  const parts = secretParts(value);
  const dumps = [...dumpForms(value, LONG), ...parts.flatMap((part) => dumpForms(part, LONG_PART))];
  const forms = [...[...whole, ...parts].flatMap(formsOf), ...dumps];
  const distinct = new Set(forms.filter((form) => form.length >= SHORTEST_SECRET));
  return Array.from(distinct, (form) => UTF8.encode(form));
}

function formsOf(value: string): readonly string[] {
  const bytes = UTF8.encode(value);
  const hex = hexOf(bytes);
  const quoted = value.replaceAll("'", "'\\''");
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    JSON.stringify(value).slice(1, -1).replaceAll("/", "\\/"),
    ...urlForms(bytes),
    quoted,
    quoted.replaceAll("'\\''", `'"'"'`),
    value.replace(/[^A-Za-z0-9,._+:@%/-]/g, "\\$&"),
    ...[hex, hex.toUpperCase(), ...base64Forms(bytes)].flatMap(withBlocks),
  ];
}

/**
 * What is left as it is beside letters and digits: by JavaScript in a part, by RFC 3986, by Python in a path, in a form, by
 * JavaScript in a whole address.
 */
const LEFT_IN_URLS = ["-_.!~*'()", "-_.~", "-_.~/", "*-._", "-_.!~*'();,/?:@&=+$#"];

/**
 * With escapes in capitals and not, and a space as it is in forms. Of a long value, which is hardly ever part of an address,
 * the first kind alone; its parts have them all.
 */
function urlForms(bytes: Uint8Array): readonly string[] {
  const kinds = bytes.length > LONG ? LEFT_IN_URLS.slice(0, 1) : LEFT_IN_URLS;
  return kinds.flatMap((left) => {
    const texts = Array.from(bytes, (byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9]/.test(character) || left.includes(character) ? character : `%${hexOf([byte]).toUpperCase()}`;
    });
    const url = texts.join("");
    const lower = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
    return [url, lower, url.replaceAll("%20", "+"), lower.replaceAll("%20", "+")];
  });
}

function hexOf(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Eight bytes as `od`, `hexdump` and `xxd` write them and as fingerprints are written: any eight of a short value, so that
 * it may begin and end anywhere in a line, and each eighth of a long one.
 */
function dumpForms(value: string, long: number): readonly string[] {
  const hex = hexOf(UTF8.encode(value));
  if (hex.length < DUMPED) return [];
  const step = hex.length > long ? DUMPED : 2;
  const starts = Array.from({ length: Math.floor((hex.length - DUMPED) / step) + 1 }, (_, index) => index * step);
  return starts.flatMap((from) => {
    const block = hex.slice(from, from + DUMPED);
    const colons = block.replace(/..(?!$)/g, "$&:");
    return [block.replace(/..(?!$)/g, "$& "), block.replace(/....(?!$)/g, "$& "), colons, colons.toUpperCase()];
  });
}

/** What base64 makes of the bytes wherever they begin in a longer text, without what their neighbours have a part in. */
function base64Forms(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const shifted = new Uint8Array(shift + bytes.length);
    shifted.set(bytes, shift);
    const from = Math.ceil((shift * 8) / 6);
    const to = Math.floor(((shift + bytes.length) * 8) / 6);
    const text = base64FromBytes(shifted).slice(from, to);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function withBlocks(form: string): readonly string[] {
  if (form.length < WRAPPED_AT) return [form];
  const blocks = Array.from({ length: Math.floor(form.length / BLOCK) }, (_, index) => index * BLOCK);
  return [form, ...blocks.map((from) => form.slice(from, from + BLOCK))];
}
