import type { RequestRule } from "@handrail/protocol/network";
import { parseHost, type Target } from "../host.ts";
import { normalisePath, normalisePattern, pathMatches } from "../path-pattern.ts";

/** An HTTP request as rules see it. `path` is without its query, as it is sent; `disguised`: the host may see others. */
export type RequestHead = { readonly method: string; readonly path: string; readonly disguised?: boolean };

/** Whether a rule names this host and port, whatever the request. Without a port it names that of HTTPS. */
export function namesTarget(rule: Pick<RequestRule, "host" | "port">, { host, port }: Target): boolean {
  if ((rule.port ?? 443) !== port) return false;
  const suffix = rule.host.startsWith(".");
  const named = parseHost(suffix ? rule.host.slice(1) : rule.host);
  if (named === undefined || named.address !== host.address) return false;
  return suffix ? !host.address && host.name.endsWith(`.${named.name}`) : host.name === named.name;
}

/** Whether a rule names this request. */
export function matchesRequest(rule: RequestRule, target: Target, { method, path, disguised }: RequestHead): boolean {
  if (!namesTarget(rule, target)) return false;
  if (disguised === true && (rule.methods ?? rule.path) !== undefined) return false;
  if (rule.methods !== undefined && !rule.methods.includes(method)) return false;
  if (rule.path === undefined) return true;
  const normal = normalisePath(path);
  return normal !== undefined && pathMatches(normalisePattern(rule.path), normal);
}
