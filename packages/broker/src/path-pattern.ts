/**
 * A path in the one form that patterns are compared in, or undefined where servers disagree about what it means:
 * encoded slashes, backslashes and control characters, a percent sign that is encoded twice, parameters on dot segments.
 * Unreserved characters are decoded, other escapes are in capitals (RFC 3986 6.2.2), dot segments are resolved and
 * repeated slashes are one. A literal `*` is written `%2A`, so that a path can stand in a pattern for itself.
 */
export function normalisePath(path: string): string | undefined {
  return inOneForm(path, (text) => text.replaceAll("*", "%2A"));
}

/** A pattern in the same form, so that it fits paths that servers take for the one it was written with. Its stars stay. */
export function normalisePattern(pattern: string): string {
  const ascii = pattern.toWellFormed().replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent);
  return inOneForm(ascii, (text) => text) ?? pattern;
}

function inOneForm(path: string, stars: (text: string) => string): string | undefined {
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[\\?#]|%(?![0-9a-f]{2})/i.test(path)) return undefined;
  if (/%(?:2f|5c|25|7f|[01][0-9a-f])/i.test(path)) return undefined;
  const decoded = path.replaceAll(/%[0-9a-f]{2}/gi, decodeUnreserved);
  if (/\/\.{1,2}(?:;|%3B)/.test(decoded)) return undefined;
  return withoutDots(stars(decoded));
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/").slice(1)) {
    if (segment === "..") kept.pop();
    else if (segment !== "." && segment !== "") kept.push(segment);
  }
  const directory = /\/(?:\.{1,2})?$/.test(path) && kept.length > 0;
  return `/${kept.join("/")}${directory ? "/" : ""}`;
}

function decodeUnreserved(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
}

/**
 * Whether a whole normalised path is what the pattern says: `*` is anything but `/`, `**` anything. Takes time in
 * proportion to both lengths, whatever they hold.
 */
export function pathMatches(pattern: string, path: string): boolean {
  const tokens = pattern.match(/\*{1,2}|[^*]/g) ?? [];
  let at = reach(tokens, new Set([0]));
  for (const character of path) {
    const next = new Set<number>();
    for (const place of at) {
      const token = tokens[place];
      if (token === "**" || (token === "*" && character !== "/")) next.add(place);
      else if (token === character) next.add(place + 1);
    }
    at = reach(tokens, next);
  }
  return at.has(tokens.length);
}

/** Stars may stand for nothing. */
function reach(tokens: readonly string[], places: Set<number>): Set<number> {
  for (const place of places) if (tokens[place]?.startsWith("*")) places.add(place + 1);
  return places;
}
