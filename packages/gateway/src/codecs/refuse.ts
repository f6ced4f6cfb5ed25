import { AppError } from "@handrail/protocol/errors";

export type Fields = Readonly<Record<string, unknown>>;

/** Refuses a request whose field cannot be carried. @throws AppError `request_unsupported` */
export function refuse(field: string, why = "This model's API has nothing like it."): never {
  throw new AppError("request_unsupported", `The field \`${field}\` cannot be carried. ${why}`, { field });
}

/** The value as an object. @throws AppError `bad_request` */
export function fields(value: unknown, path: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new AppError("bad_request", `\`${path}\` must be an object.`, { field: path });
}

/** The value as a list; none where it is not set. @throws AppError `bad_request` */
export function list(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new AppError("bad_request", `\`${path}\` must be a list.`, { field: path });
}

/** The value as a text. @throws AppError `bad_request` */
export function text(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw new AppError("bad_request", `\`${path}\` must be a text.`, { field: path });
}

/** A value that means nothing may be left out: what a field is when nobody sets it. */
export type Harmless = (value: unknown) => boolean;

export const ANY: Harmless = () => true;
export const one =
  (...values: readonly unknown[]): Harmless =>
  (value) =>
    values.includes(value);

/** Fields of an object: those that are read, and those whose given values may be left out. */
export type FieldTable = { readonly read: readonly string[]; readonly harmless: Readonly<Record<string, Harmless>> };

/** Refuses fields that are set, are not read and are not harmless. @throws AppError `request_unsupported` */
export function known(object: Fields, table: FieldTable, path: string): void {
  for (const [name, value] of Object.entries(object)) {
    if (value === null || value === undefined || table.read.includes(name)) continue;
    if (!row(table.harmless, name)?.(value)) refuse(path === "" ? name : `${path}.${name}`);
  }
}

/** A row of a table by a name from outside; undefined for names that are none of its own. */
export function row<Value>(table: Readonly<Record<string, Value>>, name: unknown): Value | undefined {
  return typeof name === "string" && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** An object without the fields that are undefined. */
export function set<Shape extends object>(object: Shape): Compact<Shape> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Compact<Shape>;
}

/** Fields that may be undefined may be missing instead. */
export type Compact<Shape> = {
  [Key in keyof Shape as undefined extends Shape[Key] ? never : Key]: Shape[Key];
} & {
  [Key in keyof Shape as undefined extends Shape[Key] ? Key : never]?: Exclude<Shape[Key], undefined>;
};
