import type { IncomingMessage, ServerResponse } from "node:http";
import { parseJson } from "@handrail/models/json";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { authenticate } from "../auth/authenticate.ts";
import type { Core } from "../flow/core.ts";
import type { KeyRecord } from "../ports/books.ts";
import type { GatewayRoute } from "../ports/route.ts";
import { ClientLeft, readBody } from "./read-body.ts";
import { refusalOf } from "./refusal.ts";
import { sendJson } from "./send-json.ts";

/** Routes by method and path. */
export type RouteTable = {
  has(method: string, path: string): boolean;
  /** Never rejects. */
  answer(core: Core, request: IncomingMessage, response: ServerResponse): Promise<void>;
};

const MAX_BODY_BYTES = 1024 * 1024;
const BODY_MS = 30_000;
const WITH_ID = "/:id";

export function routeTable(routes: readonly GatewayRoute[]): RouteTable {
  const exact = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  const find = (method: string, path: string): Match | undefined => {
    const known = exact.get(`${method} ${path}`);
    if (known) return { route: known };
    const cut = path.lastIndexOf("/");
    const route = exact.get(`${method} ${path.slice(0, cut)}${WITH_ID}`);
    const id = decoded(path.slice(cut + 1));
    return route && id !== "" ? { route, id } : undefined;
  };
  return {
    has: (method, path) => find(method, path) !== undefined,
    async answer(core, request, response) {
      try {
        const url = new URL(request.url ?? "/", "http://gateway");
        const match = find(request.method ?? "GET", url.pathname);
        if (match === undefined) throw new AppError("not_found", "There is nothing here.");
        const { status, body, headers } = await answered(core, request, { ...match, url });
        sendJson(response, status, { body, headers });
      } catch (thrown) {
        if (thrown instanceof ClientLeft) return;
        const { status, headers, body } = refusalOf(toAppError(thrown), undefined);
        sendJson(response, status, { body, headers: request.complete ? headers : { ...headers, connection: "close" } });
      }
    },
  };
}

type Match = { readonly route: GatewayRoute; readonly id?: string };

async function answered(core: Core, request: IncomingMessage, { route, id, url }: Match & { readonly url: URL }) {
  const key = await keyFor(core, request, route.access);
  const bytes = await readBody(request, { maxBytes: MAX_BODY_BYTES, timeoutMs: BODY_MS });
  const body = bytes.length === 0 ? undefined : parseJson(bytes.toString("utf8"));
  if (bytes.length > 0 && body === undefined)
    throw new AppError("bad_request", "The request's body is not valid JSON.");
  return route.handle({ url, body, key, ...(id !== undefined && { id }) });
}

async function keyFor(
  core: Core,
  request: IncomingMessage,
  access: GatewayRoute["access"],
): Promise<KeyRecord | undefined> {
  if (access === "open") return undefined;
  const { key } = await authenticate(core.books, request.headers, core.now());
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
