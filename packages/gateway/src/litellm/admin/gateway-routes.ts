import type { KeyRecord } from "../../ports/books.ts";
import type { GatewayRoute } from "../../ports/route.ts";
import type { AdminCaller, AdminContext } from "./admin.ts";
import { ADMIN_ROUTES, answerAdmin } from "./admin-routes.ts";

/** LiteLLM's management routes, as a gateway takes them. */
export function adminRoutes(context: AdminContext): readonly GatewayRoute[] {
  return ADMIN_ROUTES.map(({ method, path, own }) => ({
    method,
    path,
    access: own ? "key" : "admin",
    handle: ({ url, body, key }) =>
      answerAdmin(context, { method, path, query: url.searchParams, body, caller: callerOf(key) }),
  }));
}

function callerOf(key: KeyRecord | undefined): AdminCaller {
  if (key === undefined) throw new Error("A management route is open to nobody without a key.");
  return key.admin ? { admin: true, key } : { admin: false, key };
}
