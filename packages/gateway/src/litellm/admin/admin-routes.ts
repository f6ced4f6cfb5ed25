import { AppError } from "@handrail/protocol/errors";
import type { AdminAnswer, AdminContext, AdminRequest, AdminRoute } from "./admin.ts";
import { KEY_ROUTES } from "./key-routes.ts";
import { MODEL_ROUTES } from "./model-routes.ts";
import { OWNER_ROUTES } from "./owner-routes.ts";
import { SPEND_ROUTES } from "./spend-routes.ts";

const ROUTES: Readonly<Record<string, AdminRoute>> = {
  ...KEY_ROUTES,
  ...OWNER_ROUTES,
  ...MODEL_ROUTES,
  ...SPEND_ROUTES,
};

/** Where each route is, and whether an ordinary key may ask for what is its own. */
export const ADMIN_ROUTES = Object.entries(ROUTES).map(([route, { own }]) => {
  const [method, path] = route.split(" ") as ["GET" | "POST", string];
  return { method, path, own };
});

/** Of a request: `path` without the query. */
export type AdminCall = AdminRequest & { readonly method: string; readonly path: string };

/**
 * LiteLLM's management routes over the gateway's books. The caller is known already.
 *
 * @throws AppError `forbidden` when the caller may not, `not_found`, and what the books throw
 */
export async function answerAdmin(context: AdminContext, call: AdminCall): Promise<AdminAnswer> {
  const key = `${call.method} ${call.path}`;
  const route = Object.hasOwn(ROUTES, key) ? ROUTES[key] : undefined;
  if (route === undefined) throw new AppError("not_found", "There is nothing here.");
  if (!call.caller.admin && !route.own)
    throw new AppError("forbidden", "Only the master key and admin keys may do this.");
  const { query, body, caller } = call;
  const answer = await route.handle(context, { query, body, caller });
  return isAnswer(answer) ? answer : { status: 200, body: answer };
}

function isAnswer(value: object): value is AdminAnswer {
  return "status" in value && typeof value.status === "number" && "body" in value;
}
