const KEPT = new Set([
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "x-request-id",
  "request-id",
  "openai-processing-ms",
]);

/** What of a provider's headers a client of another format has a use for. */
export function headersFor(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT.has(name)));
}
