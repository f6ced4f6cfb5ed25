import { AppError } from "@handrail/protocol/errors";
import type { Option } from "./option.ts";
import { OPTIONS, optionKey, type OptionName, type OptionValues } from "./options.ts";

/** Where settings come from. `file` is the parsed content of `handrail.yaml`. */
export type OptionSources = {
  readonly flags: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: Readonly<Record<string, unknown>>;
  readonly filePath: string;
};

const NAMES = Object.keys(OPTIONS) as OptionName[];

/** Settings by precedence: flags, then environment, then file. @throws AppError `config_invalid`, with the name */
export function readOptions(sources: OptionSources): OptionValues {
  refuseUnknownKeys(sources);
  const values: Record<string, unknown> = {};
  for (const name of NAMES) {
    const found = textOf(name, sources);
    if (found !== undefined) values[name] = parsed(OPTIONS[name], found.text, found.from);
  }
  return values;
}

/** The flags in `argv` as a map. @throws AppError `config_invalid` for an unknown flag or a missing value */
export function readFlags(argv: readonly string[]): Map<string, string> {
  const known = new Set(["config", ...NAMES.filter((name) => !isSecret(name)).map(optionKey)]);
  const flags = new Map<string, string>();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name, glued] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined || !known.has(name)) throw invalid(`${word} is not an option of the server. See --help.`);
    const value = glued ?? (isSwitch(name) && (rest[0] ?? "--").startsWith("--") ? "true" : rest.shift());
    if (value === undefined) throw invalid(`--${name} needs a value.`);
    flags.set(name, value);
  }
  return flags;
}

const isSecret = (name: OptionName) => (OPTIONS[name] as Option).secret === true;
const SWITCHES = ["log-all-events", "metrics-public", "local-sources", "gateway-redact", "gateway-weak-master-key"];
const isSwitch = (key: string) => SWITCHES.includes(key);

function refuseUnknownKeys(sources: OptionSources): void {
  if (Object.hasOwn(sources.file, "home")) {
    throw invalid(`${sources.filePath} cannot set home, where it is itself looked for. Set HANDRAIL_HOME or --home.`);
  }
  const keys = new Set(NAMES.map(optionKey));
  const unknown = Object.keys(sources.file).find((key) => !keys.has(key));
  if (unknown !== undefined) throw invalid(`${sources.filePath} has an unknown key: ${unknown}.`);
}

function textOf(name: OptionName, { flags, env, file, filePath }: OptionSources) {
  const key = optionKey(name);
  const flag = flags.get(key);
  if (flag !== undefined) return { text: flag, from: `--${key}` };
  const variable = OPTIONS[name].env.find((candidate) => (env[candidate] ?? "") !== "");
  if (variable !== undefined) return { text: env[variable] ?? "", from: variable };
  const value = file[key];
  return value === undefined || value === null ? undefined : { text: fileText(value), from: `${key} in ${filePath}` };
}

function fileText(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join(",") : JSON.stringify(value);
}

function parsed(option: Option, text: string, from: string): unknown {
  const result = option.value.safeParse(text);
  if (result.success) return result.data;
  const shown = option.secret === true ? "" : ` (it is ${JSON.stringify(text.slice(0, 100))})`;
  throw invalid(`${from} is not valid${shown}: ${result.error.issues[0]?.message ?? "bad value"}.`);
}

const invalid = (message: string) => new AppError("config_invalid", message);
