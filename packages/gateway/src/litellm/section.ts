import { AppError } from "@handrail/protocol/errors";
import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Pair } from "yaml";

/** What sections of one file share. */
export type Source = {
  /** For messages. */
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
  /** Looked up for `os.environ/NAME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly warn: (sentence: string) => void;
};

/**
 * A mapping of a configuration file. What is read of it is remembered, so that the rest can be warned about by name. A value
 * that is `null`, or names a variable that is not set, is undefined.
 *
 * @throws AppError `config_invalid`, with the line, when a value is of the wrong kind
 */
export type Section = {
  /** As messages name it, with its line: `model_list[2].litellm_params (config.yaml, line 12)`. */
  readonly place: string;
  readonly keys: readonly string[];
  text(key: string): string | undefined;
  /** Numbers may be written as text, as variables are. */
  number(key: string): number | undefined;
  flag(key: string): boolean | undefined;
  section(key: string): Section | undefined;
  /** The mappings of a list. */
  sections(key: string): readonly Section[];
  /** The texts of a list; one text stands for a list of it. */
  texts(key: string): readonly string[] | undefined;
  has(key: string): boolean;
  /** Whether its value is a mapping. */
  isSection(key: string): boolean;
  /** Keys that are known and change nothing here. */
  ignore(...keys: readonly string[]): void;
  /** Warns about every key that nothing has read. */
  warnOfRest(): void;
};

/** A section that is not in the file. */
export const NO_SECTION: Section = {
  place: "",
  keys: [],
  text: () => undefined,
  number: () => undefined,
  flag: () => undefined,
  section: () => undefined,
  sections: () => [],
  texts: () => undefined,
  has: () => false,
  isSection: () => false,
  ignore: () => {},
  warnOfRest: () => {},
};

const ENVIRONMENT = "os.environ/";
const MAX_ITEMS = 10_000;

/** @throws AppError `config_invalid` when the node is no mapping */
export function sectionOf(node: Node | null | undefined, path: string, source: Source): Section {
  const real = resolved(node, source);
  const place = placeOf(path, real, source);
  if (!isMap(real)) throw new AppError("config_invalid", `${place} must be a mapping of names to values.`);
  const pairs = new Map(real.items.map((pair) => [keyOf(pair), pair.value as Node | null]));
  if (pairs.size > MAX_ITEMS) throw new AppError("config_invalid", `${place} has more than ${MAX_ITEMS} entries.`);
  return reader({ path, place, pairs, used: new Set<string>(), source });
}

type Reading = {
  readonly path: string;
  readonly place: string;
  readonly pairs: ReadonlyMap<string, Node | null>;
  readonly used: Set<string>;
  readonly source: Source;
};

function reader(reading: Reading): Section {
  const { pairs, used, source, place } = reading;
  return {
    place,
    keys: [...pairs.keys()],
    text: (key) => asText(reading, key),
    number: (key) => asNumber(reading, key),
    flag: (key) => asFlag(reading, key),
    section(key) {
      const node = take(reading, key);
      return node === undefined ? undefined : sectionOf(node, below(reading, key), source);
    },
    sections: (key) =>
      items(reading, key).map((node, index) => sectionOf(node, `${below(reading, key)}[${index}]`, source)),
    texts(key) {
      if (!pairs.has(key)) return undefined;
      return items(reading, key).flatMap((node) => {
        if (!isScalar(resolved(node, source))) throw wrong(reading, key, "a list of texts");
        return scalarText(node, source) ?? [];
      });
    },
    has: (key) => pairs.has(key),
    isSection: (key) => isMap(resolved(pairs.get(key), source)),
    ignore: (...keys) => keys.forEach((key) => used.add(key)),
    warnOfRest() {
      for (const [key, node] of pairs) {
        if (!used.has(key))
          source.warn(`${placeOf(below(reading, key), node, source)} is not known and changes nothing.`);
      }
    },
  };
}

const below = ({ path }: Reading, key: string) => (path === "" ? key : `${path}.${key}`);

function take(reading: Reading, key: string): Node | undefined {
  reading.used.add(key);
  const node = resolved(reading.pairs.get(key), reading.source);
  return node === undefined || (isScalar(node) && node.value === null) ? undefined : node;
}

function asText(reading: Reading, key: string): string | undefined {
  const node = take(reading, key);
  if (node === undefined) return undefined;
  if (!isScalar(node)) throw wrong(reading, key, "a text");
  return scalarText(node, reading.source);
}

function asNumber(reading: Reading, key: string): number | undefined {
  const text = asText(reading, key)?.trim();
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0) throw wrong(reading, key, "a number that is not negative");
  return number;
}

function asFlag(reading: Reading, key: string): boolean | undefined {
  const text = asText(reading, key)?.trim().toLowerCase();
  if (text === undefined || text === "") return undefined;
  if (["true", "1", "yes", "on"].includes(text)) return true;
  if (["false", "0", "no", "off"].includes(text)) return false;
  throw wrong(reading, key, "true or false");
}

function items(reading: Reading, key: string): readonly Node[] {
  const node = take(reading, key);
  if (node === undefined) return [];
  if (isScalar(node)) return [node];
  if (!isSeq(node)) throw wrong(reading, key, "a list");
  if (node.items.length > MAX_ITEMS) throw wrong(reading, key, `a list of at most ${MAX_ITEMS}`);
  return node.items as Node[];
}

function wrong(reading: Reading, key: string, kind: string): AppError {
  const place = placeOf(below(reading, key), reading.pairs.get(key), reading.source);
  return new AppError("config_invalid", `${place} must be ${kind}.`);
}

/** A scalar as text, with `os.environ/NAME` replaced; undefined for null and for variables that are not set. */
function scalarText(node: Node, source: Source): string | undefined {
  const real = resolved(node, source);
  if (!isScalar(real) || real.value === null) return undefined;
  // What was written, so that a key such as 0012 or 1e5 stays what it is.
  const text = typeof real.value === "string" ? real.value : (real.source ?? JSON.stringify(real.value));
  if (!text.startsWith(ENVIRONMENT)) return text;
  const name = text.slice(ENVIRONMENT.length);
  const value = source.environment[name];
  if (value === undefined || value === "") {
    source.warn(`The variable ${name} is not set, which ${source.file}, line ${lineOf(real, source)} asks for.`);
    return undefined;
  }
  return value;
}

function resolved(node: Node | null | undefined, { document }: Source): Node | undefined {
  return (isAlias(node) ? node.resolve(document) : node) ?? undefined;
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function placeOf(path: string, node: Node | null | undefined, source: Source): string {
  const file = `${source.file}, line ${lineOf(node, source)}`;
  return path === "" ? `The file (${file})` : `${path} (${file})`;
}

function lineOf(node: Node | null | undefined, { lines }: Source): number {
  return lines.linePos(node?.range?.[0] ?? 0).line || 1;
}
