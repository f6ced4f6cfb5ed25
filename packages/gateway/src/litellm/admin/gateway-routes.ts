import { LITELLM_ROUTES, type LiteLlmRouteName } from "@handrail/protocol/litellm-routes";
import type { GatewayRoute } from "../../ports/route.ts";
import type { AdminContext } from "./admin.ts";

/** LiteLLM's management routes, as a gateway takes them. */
export function adminRoutes(context: AdminContext): readonly GatewayRoute[] {
  return Object.entries(LITELLM_ROUTES).map(([name, { access }]) => {
    const [method, path] = name.split(" ") as ["GET" | "POST", string];
    return {
      method,
      path,
      access,
      async handle({ url, body, key: caller }) {
        if (caller === undefined) throw new Error("A management route is open to nobody without a key.");
        const { answerAdmin } = await import("./admin-routes.ts");
        return answerAdmin(context, name as LiteLlmRouteName, { query: url.searchParams, body, caller });
      },
    };
  });
}
