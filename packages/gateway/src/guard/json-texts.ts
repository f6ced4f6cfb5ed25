import { stringEnd } from "../request/top-level.ts";

/** A text within JSON: what it says, and how that is written. */
export type JsonText = {
  /** Bytes between its quotes. */
  readonly start: number;
  readonly end: number;
  readonly raw: string;
  readonly text: string;
  /** Whether it names a member of an object. */
  readonly key: boolean;
};

const QUOTE = 0x22;
const COLON = 0x3a;
const SPACE = 0x20;

/** The texts of a JSON body of at least that many bytes, in order. A body that is no JSON has some too. */
export function* jsonTexts(body: Buffer, encoding: BufferEncoding, least: number): Generator<JsonText> {
  let open = body.indexOf(QUOTE);
  while (open >= 0) {
    const after = stringEnd(body, open);
    const [start, end] = [open + 1, Math.max(open + 1, after - 1)];
    if (end - start >= least) {
      const raw = body.toString(encoding, start, end);
      yield { start, end, raw, text: unescaped(raw), key: isKey(body, after) };
    }
    open = body.indexOf(QUOTE, after);
  }
}

function isKey(body: Buffer, after: number): boolean {
  let at = after;
  while (at < body.length && (body[at] as number) <= SPACE) at += 1;
  return body[at] === COLON;
}

/** As it is where its escapes are wrong: then the body is no JSON, and is refused. */
function unescaped(raw: string): string {
  if (!raw.includes("\\")) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return raw;
  }
}

/** Where characters of the text are in its raw form; `places` are in order. */
export function rawPlaces({ raw, text }: JsonText, places: readonly number[]): readonly number[] {
  if (raw.length === text.length) return places;
  let [at, seen] = [0, 0];
  return places.map((place) => {
    for (; seen < place; seen += 1) at += unitLength(raw, at);
    return at;
  });
}

function unitLength(raw: string, at: number): number {
  if (raw[at] !== "\\") return 1;
  return raw[at + 1] === "u" ? 6 : 2;
}
