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
const PATHS: ReadonlySet<string> = new Set(Object.keys(ROUTES).map((route) => route.slice(route.indexOf(" ") + 1)));
const REGENERATE = /^\/key\/([^/]{1,600})\/regenerate$/;

/** Whether a path, without its query, is one of LiteLLM's management routes. */
export function isAdminPath(path: string): boolean {
  return PATHS.has(path) || REGENERATE.test(path);
}

/** Of a request: `path` without the query. */
export type AdminCall = Omit<AdminRequest, "name"> & { readonly method: string; readonly path: string };

/**
 * LiteLLM's management routes over the gateway's books. The caller is known already.
 *
 * @throws AppError `forbidden` when the caller may not, `method_not_allowed`, `not_found`, and what the books throw
 */
export async function answerAdmin(context: AdminContext, call: AdminCall): Promise<AdminAnswer> {
  const { route, name } = routeOf(call);
  if (!call.caller.admin && !route.own) {
    throw new AppError("forbidden", "Only the master key and admin keys may do this.");
  }
  const { query, body, caller } = call;
  const answer = await route.handle(context, { query, body, caller, ...(name !== undefined && { name }) });
  return isAnswer(answer) ? answer : { status: 200, body: answer };
}

function routeOf({ method, path }: AdminCall): { readonly route: AdminRoute; readonly name?: string } {
  const named = REGENERATE.exec(path)?.[1];
  const plain = named === undefined ? path : "/key/regenerate";
  const key = `${method} ${plain}`;
  const route = Object.hasOwn(ROUTES, key) ? ROUTES[key] : undefined;
  if (route) return { route, ...(named !== undefined && { name: decoded(named) }) };
  if (PATHS.has(plain)) throw new AppError("method_not_allowed", `${method} does nothing at ${plain}.`);
  throw new AppError("not_found", "There is nothing here.");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AppError("bad_request", "The path is not well encoded.");
  }
}

function isAnswer(value: object): value is AdminAnswer {
  return "status" in value && typeof value.status === "number" && "body" in value;
}
