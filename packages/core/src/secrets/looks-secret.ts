const SHORTEST_RANDOM = 16;
/** Letters and digits without a gap, as no word has them. */
const UNBROKEN = /[A-Za-z0-9]{20,}/;
const LETTERS = /[a-z]{24,}|[A-Z]{24,}/;
/** Where random text goes from one kind of character to another; a word's capital is none. */
const TURNS = /[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])/g;
const TURN_EVERY = 6;

const ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/|\.{0,2}\/|~\/|[^\s@]+@)|^(?:[a-z0-9-]+\.)+[a-z]{2,}(?:[:/]|$)/i;
const WITH_PASSWORD = /\/\/[^\s/@]+@/;

/** A text that names a place (URL, host, path) or a person (e-mail), and has no password in it. */
export const isAddress = (text: string): boolean => ADDRESS.test(text) && !WITH_PASSWORD.test(text);

/** Whether a text of letters, digits and a few other characters is one that chance made, and no word, name or number. */
export function isRandom(text: string): boolean {
  if (text.length < SHORTEST_RANDOM || isAddress(text)) return false;
  const run = UNBROKEN.exec(text)?.[0];
  if (run !== undefined && /[0-9]/.test(run) && /[A-Za-z]/.test(run)) return true;
  return LETTERS.test(text) || (text.match(TURNS)?.length ?? 0) >= Math.max(3, text.length / TURN_EVERY);
}

const SECRET_WORDS: ReadonlySet<string> = new Set(
  (
    "pass passwd password passphrase passcode pwd secret token apikey key auth authtoken authorization accesskey accountkey " +
    "credential credentials bearer cookie"
  ).split(" "),
);
/** What a name ends with whose value tells of a secret and is none. */
const HARMLESS_ENDS: ReadonlySet<string> = new Set(
  (
    "name type uri url file path host user username email endpoint algorithm expiry expires at version provider method " +
    "mode format helper plugin command"
  ).split(" "),
);

/** Whether what bears this name is secret, whatever it looks like: `DB_PASSWORD`, `apiKey`, `:_authToken`. */
export function namesSecret(name: string): boolean {
  const words =
    name
      .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .match(/[a-z]+/g) ?? [];
  return !HARMLESS_ENDS.has(words.at(-1) ?? "") && words.some((word) => SECRET_WORDS.has(word));
}
