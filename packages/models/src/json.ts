/** A value from outside, looked at without trust: each reader gives its own empty value for what is not there. */
export type Json = unknown;

/** The value under the keys, or undefined where any of them is missing. */
export function at(value: Json, ...keys: readonly (string | number)[]): Json {
  let current = value;
  for (const key of keys) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}

/** The text under the keys, or "". */
export function textAt(value: Json, ...keys: readonly (string | number)[]): string {
  const found = at(value, ...keys);
  return typeof found === "string" ? found : "";
}

/** The count under the keys as a whole number from 0 on, or undefined. */
export function countAt(value: Json, ...keys: readonly (string | number)[]): number | undefined {
  const found = at(value, ...keys);
  return typeof found === "number" && found >= 0 && found < Number.MAX_SAFE_INTEGER ? Math.round(found) : undefined;
}

/** The list under the keys, or an empty one. */
export function listAt(value: Json, ...keys: readonly (string | number)[]): readonly Json[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The value of a JSON text, or undefined when it is not JSON. */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
