import type { LiteLlmRouteName } from "@handrail/protocol/litellm-routes";
import type { AdminAnswer, AdminContext, AdminHandler, AdminRequest } from "./admin.ts";
import { KEY_ROUTES } from "./key-routes.ts";
import { MODEL_ROUTES } from "./model-routes.ts";
import { OWNER_ROUTES } from "./owner-routes.ts";
import { SPEND_ROUTES } from "./spend-routes.ts";

const HANDLERS: Readonly<Record<LiteLlmRouteName, AdminHandler>> = {
  ...KEY_ROUTES,
  ...OWNER_ROUTES,
  ...MODEL_ROUTES,
  ...SPEND_ROUTES,
};

/**
 * LiteLLM's management routes over the gateway's books. The caller is known already, and may call the route.
 *
 * @throws AppError `forbidden` when it asks for what is not its own, `not_found`, and what the books throw
 */
export async function answerAdmin(
  context: AdminContext,
  name: LiteLlmRouteName,
  request: AdminRequest,
): Promise<AdminAnswer> {
  const answer = await HANDLERS[name](context, request);
  return isAnswer(answer) ? answer : { status: 200, body: answer };
}

function isAnswer(value: object): value is AdminAnswer {
  return "status" in value && typeof value.status === "number" && "body" in value;
}
