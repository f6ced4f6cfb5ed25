import type { KeyRecord } from "../../ports/books.ts";
import type { GatewayRoute } from "../../ports/route.ts";
import type { AdminCaller, AdminContext } from "./admin.ts";
import { ADMIN_TABLE } from "./admin-table.ts";

/** LiteLLM's management routes, as a gateway takes them. */
export function adminRoutes(context: AdminContext): readonly GatewayRoute[] {
  return Object.entries(ADMIN_TABLE).map(([name, { own }]) => {
    const [method, path] = name.split(" ") as ["GET" | "POST", string];
    return {
      method,
      path,
      access: own ? "key" : "admin",
      async handle({ url, body, key }) {
        const { answerAdmin } = await import("./admin-routes.ts");
        return answerAdmin(context, { method, path, query: url.searchParams, body, caller: callerOf(key) });
      },
    };
  });
}

function callerOf(key: KeyRecord | undefined): AdminCaller {
  if (key === undefined) throw new Error("A management route is open to nobody without a key.");
  return key.admin ? { admin: true, key } : { admin: false, key };
}
