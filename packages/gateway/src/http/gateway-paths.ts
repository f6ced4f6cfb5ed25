import { LITELLM_ROUTES } from "@handrail/protocol/litellm-routes";
import { endpointAt, pathOf } from "./endpoint.ts";

const MANAGED: ReadonlySet<string> = new Set(
  Object.keys(LITELLM_ROUTES).map((name) => name.slice(name.indexOf(" ") + 1)),
);

/**
 * Whether a path is the gateway's where it shares an address with other things: all below `/v1`, models as LiteLLM has them, its
 * management routes and its probes. Metrics and Handrail's own API are the server's.
 */
export function isGatewayPath(url: string): boolean {
  const path = pathOf(url);
  if (path.startsWith("/v1/") || MANAGED.has(path)) return true;
  const endpoint = endpointAt(path);
  return endpoint !== undefined && endpoint.kind !== "metrics";
}
