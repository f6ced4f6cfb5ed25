import { AppError } from "@handrail/protocol/errors";
import type { z } from "zod";

/**
 * A value from the server in its schema's shape. Keys that the schema does not know are left out, also where the
 * schema is strict: a newer server may say more.
 * @throws AppError `internal` when the value does not fit
 */
export function parseLenient<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  const unknown = first.error.issues.filter((issue) => issue.code === "unrecognized_keys");
  const second = unknown.length === 0 ? first : schema.safeParse(without(value, unknown));
  if (second.success) return second.data;
  const place = second.error.issues[0]?.path.join(".") ?? "";
  throw new AppError(
    "internal",
    "The server's answer was not understood. It may be of another version: reload the page, or update this program.",
    { place },
    { cause: second.error },
  );
}

type UnknownKeys = { readonly path: readonly PropertyKey[]; readonly keys: readonly string[] };

/** A copy of the value without the keys that the issues name. */
function without(value: unknown, issues: readonly UnknownKeys[]): unknown {
  const copy = structuredClone(value);
  for (const { path, keys } of issues) {
    const place = path.reduce<unknown>((at, key) => (isRecord(at) ? at[key as string] : undefined), copy);
    if (isRecord(place)) for (const key of keys) delete place[key];
  }
  return copy;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
