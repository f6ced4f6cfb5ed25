/** `JSON.parse` with the text of each number, and `JSON.rawJSON` (TC39 proposal "JSON.parse source text access"). */
type ExactJson = {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};
const EXACT = JSON as unknown as ExactJson;

/**
 * A JSON text as a value whose numbers are written as they were read, such as `1.0` and those beyond 2⁵³: each such number is an
 * object that `JSON.stringify` writes. @throws SyntaxError
 */
export function exactJson(text: string): unknown {
  return EXACT.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? EXACT.rawJSON(source) : value,
  );
}

/** Arguments as an object. What is none goes under a name that tells the model what it had said. */
export function exactObject(text: string): object {
  if (text.trim() === "") return {};
  try {
    const value = exactJson(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value) && !isRaw(value)) return value;
  } catch {
    // Not JSON: told below.
  }
  return { invalid_json: text };
}

const isRaw = (value: object) => Object.getPrototypeOf(value) === null;
