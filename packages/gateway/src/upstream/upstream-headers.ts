import type { Deployment } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";

const ANTHROPIC_VERSION = "2023-06-01";

/** The headers of a request to a provider, its key among them. The client's come first, so that none replaces ours. */
export function upstreamHeaders(
  deployment: Deployment,
  format: Format,
  client: Readonly<Record<string, string>>,
  streamed: boolean,
): Record<string, string> {
  return {
    ...client,
    ...(format === "messages" && client["anthropic-version"] === undefined
      ? { "anthropic-version": ANTHROPIC_VERSION }
      : undefined),
    ...lowered(deployment.headers),
    ...credentials(deployment, format),
    "content-type": "application/json",
    accept: streamed ? "text/event-stream, application/json" : "application/json",
    // What is compressed cannot be read on its way.
    "accept-encoding": "identity",
    "user-agent": "handrail-gateway",
  };
}

function lowered(headers: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function credentials({ provider, apiKey }: Deployment, format: Format): Record<string, string> {
  if (apiKey === undefined || apiKey === "") return {};
  const bearer = { authorization: `Bearer ${apiKey}` };
  if (provider === "azure") return { "api-key": apiKey };
  if (provider === "anthropic") return apiKey.startsWith("sk-ant-oat") ? bearer : { "x-api-key": apiKey };
  return format === "messages" ? { ...bearer, "x-api-key": apiKey } : bearer;
}

const FORWARDED = new Set([
  "anthropic-beta",
  "anthropic-version",
  "anthropic-dangerous-direct-browser-access",
  "openai-beta",
  "openai-intent",
  "http-referer",
  "x-title",
  "x-initiator",
]);

/** What of a client's headers changes what a model does. Organisations and projects are those of the provider's key. */
export function modelHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (value !== undefined) kept[name] = typeof value === "string" ? value : value.join(", ");
  }
  return kept;
}

const SHOWN = new Set([
  "content-type",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "x-request-id",
  "request-id",
  "openai-processing-ms",
  "openai-version",
  "openai-model",
]);
const LIMITS = /^(?:anthropic-|x-)ratelimit-/;

/** What of a provider's headers a client sees. The provider's own limits are not the client's, and are named as such. */
export function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name in headers) {
    if (SHOWN.has(name)) shown[name] = headers[name] ?? "";
    else if (LIMITS.test(name)) shown[`llm_provider-${name}`] = headers[name] ?? "";
  }
  return shown;
}
