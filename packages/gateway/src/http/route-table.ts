import type { IncomingMessage, ServerResponse } from "node:http";
import { parseJson } from "@handrail/models/json";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { problemOf } from "@handrail/protocol/problem";
import { authenticate } from "../auth/authenticate.ts";
import type { Core } from "../flow/core.ts";
import type { KeyRecord } from "../ports/keys.ts";
import type { GatewayRoute } from "../ports/route.ts";
import { pathOf } from "./endpoint.ts";
import { ClientLeft, readBody } from "./read-body.ts";
import { refusalOf } from "./refusal.ts";
import { sendJson } from "./send-json.ts";

/** Routes by method and path. */
export type RouteTable = {
  has(method: string, path: string): boolean;
  /** The methods that a path has; empty where it is none of the table's. */
  methods(path: string): readonly string[];
  /** Never rejects. */
  answer(core: Core, request: IncomingMessage, response: ServerResponse): Promise<void>;
};

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const satisfies readonly GatewayRoute["method"][];
const MAX_BODY_BYTES = 1024 * 1024;
const BODY_MS = 30_000;

export function routeTable(routes: readonly GatewayRoute[]): RouteTable {
  const find = routeFinder(routes);
  return {
    has: (method, path) => find(method, path) !== undefined,
    methods: (path) => METHODS.filter((method) => find(method, path) !== undefined),
    async answer(core, request, response) {
      const match = find(request.method ?? "GET", pathOf(request.url));
      try {
        const url = new URL(request.url ?? "/", "http://gateway");
        if (match === undefined) throw new AppError("not_found", "There is nothing here.");
        const { status, body, headers } = await answered(core, request, { ...match, url });
        sendJson(response, status, { body, headers });
      } catch (thrown) {
        if (thrown instanceof ClientLeft) return;
        const { status, headers, body } = refused(toAppError(thrown), match?.route);
        sendJson(response, status, { body, headers: request.complete ? headers : { ...headers, connection: "close" } });
      }
    },
  };
}

function refused(error: AppError, route: GatewayRoute | undefined) {
  const refusal = refusalOf(error, undefined);
  if (route?.problems !== true) return refusal;
  return {
    ...refusal,
    body: problemOf(error),
    headers: { ...refusal.headers, "content-type": "application/problem+json" },
  };
}

type Match = { readonly route: GatewayRoute; readonly params: Readonly<Record<string, string>> };

/** Paths with names in them are only looked at where their first part is the same: every call comes by here. */
function routeFinder(routes: readonly GatewayRoute[]) {
  const exact = new Map(routes.map((route) => [`${route.method} ${route.path}`, { route, params: {} }]));
  const named = Map.groupBy(
    routes.filter(({ path }) => path.includes("/:")).map((route) => ({ route, parts: route.path.split("/") })),
    ({ parts }) => parts[1] ?? "",
  );
  return (method: string, path: string): Match | undefined => {
    const known = exact.get(`${method} ${path}`);
    if (known) return known;
    const candidates = named.get(path.slice(1, Math.max(1, path.indexOf("/", 1))));
    if (candidates === undefined) return undefined;
    const given = path.split("/");
    for (const { route, parts } of candidates) {
      const params = route.method === method ? paramsOf(parts, given) : undefined;
      if (params) return { route, params };
    }
    return undefined;
  };
}

/** Undefined where the path is another. */
function paramsOf(parts: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (parts.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const text = given[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== text) return undefined;
      continue;
    }
    const value = decoded(text);
    if (value === "") return undefined;
    params[part.slice(1)] = value;
  }
  return params;
}

async function answered(core: Core, request: IncomingMessage, { route, params, url }: Match & { readonly url: URL }) {
  const key = await keyFor(core, request, route.access);
  const bytes = await readBody(request, { maxBytes: route.maxBodyBytes ?? MAX_BODY_BYTES, timeoutMs: BODY_MS });
  const body = bytes.length === 0 ? undefined : parseJson(bytes.toString("utf8"));
  if (bytes.length > 0 && body === undefined)
    throw new AppError("bad_request", "The request's body is not valid JSON.");
  return route.handle({ url, body, key, params });
}

async function keyFor(
  core: Core,
  request: IncomingMessage,
  access: GatewayRoute["access"],
): Promise<KeyRecord | undefined> {
  if (access === "open") return undefined;
  const { key } = await authenticate(core, request, core.now());
  if (access === "admin" && !key.admin) throw new AppError("forbidden", "This key may not manage the gateway.");
  return key;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
