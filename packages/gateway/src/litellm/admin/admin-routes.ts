import { AppError } from "@handrail/protocol/errors";
import type { AdminAnswer, AdminContext, AdminHandler, AdminRequest } from "./admin.ts";
import { ADMIN_TABLE, type AdminRouteName } from "./admin-table.ts";
import { KEY_ROUTES } from "./key-routes.ts";
import { MODEL_ROUTES } from "./model-routes.ts";
import { OWNER_ROUTES } from "./owner-routes.ts";
import { SPEND_ROUTES } from "./spend-routes.ts";

const HANDLERS: Readonly<Record<AdminRouteName, AdminHandler>> = {
  ...KEY_ROUTES,
  ...OWNER_ROUTES,
  ...MODEL_ROUTES,
  ...SPEND_ROUTES,
};

/** Of a request: `path` without the query. */
export type AdminCall = AdminRequest & { readonly method: string; readonly path: string };

/**
 * LiteLLM's management routes over the gateway's books. The caller is known already.
 *
 * @throws AppError `forbidden` when the caller may not, `not_found`, and what the books throw
 */
export async function answerAdmin(context: AdminContext, call: AdminCall): Promise<AdminAnswer> {
  const key = `${call.method} ${call.path}`;
  const name = Object.hasOwn(HANDLERS, key) ? (key as AdminRouteName) : undefined;
  if (name === undefined) throw new AppError("not_found", "There is nothing here.");
  if (!call.caller.admin && !ADMIN_TABLE[name].own)
    throw new AppError("forbidden", "Only the master key and admin keys may do this.");
  const { query, body, caller } = call;
  const answer = await HANDLERS[name](context, { query, body, caller });
  return isAnswer(answer) ? answer : { status: 200, body: answer };
}

function isAnswer(value: object): value is AdminAnswer {
  return "status" in value && typeof value.status === "number" && "body" in value;
}
