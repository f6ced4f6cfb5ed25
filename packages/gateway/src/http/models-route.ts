import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { authenticate, type Caller } from "../auth/authenticate.ts";
import type { Core } from "../flow/core.ts";
import { refusalOf } from "./refusal.ts";
import { sendJson } from "./send-json.ts";

/** The models that a key may use, or one of them, in the form of whichever API the client speaks. Never rejects. */
export async function answerModels(
  core: Core,
  request: IncomingMessage,
  response: ServerResponse,
  id?: string,
): Promise<void> {
  const anthropic = request.headers["anthropic-version"] !== undefined;
  try {
    const caller = await authenticate(core, request, core.now());
    const shown = (name: string): Listed => (anthropic ? anthropicModel(name) : openAiModel(name));
    if (id !== undefined) sendJson(response, 200, { body: shown(known(core, caller, id)) });
    else sendJson(response, 200, { body: listOf(namesFor(core, caller).map(shown), anthropic) });
  } catch (thrown) {
    const { status, headers, body } = refusalOf(toAppError(thrown), anthropic ? "messages" : undefined);
    sendJson(response, status, { body, headers });
  }
}

/** A wildcard stands for models that only the provider can list. */
function namesFor({ catalog }: Core, caller: Caller): readonly string[] {
  return catalog
    .list()
    .map(({ name }) => name)
    .filter((name) => !name.endsWith("*") && caller.allows(name));
}

function known({ catalog }: Core, caller: Caller, id: string): string {
  if (catalog.find(id) && caller.allows(id)) return id;
  throw new AppError("model_not_found", `There is no model ${id} for this key.`, { field: "model" });
}

type Listed = { readonly id: string };

const openAiModel = (id: string) => ({ id, object: "model", created: CREATED, owned_by: "handrail" });
const anthropicModel = (id: string) => ({ type: "model", id, display_name: id, created_at: CREATED_AT });

/** When a model was made is not known here; clients want some time. */
const CREATED = 1_735_689_600;
const CREATED_AT = new Date(CREATED * 1000).toISOString();

function listOf(data: readonly Listed[], anthropic: boolean): object {
  if (!anthropic) return { object: "list", data };
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}
