import type { AppError } from "@handrail/protocol/errors";
import type { ModelSetting } from "@handrail/protocol/settings";
import { endpoint } from "./base-url.ts";
import { DEFAULT_BASE_URLS } from "./create-model.ts";
import { at, listAt, parseJson, textAt } from "./json.ts";

const MAX_NAMES = 8;
const MAX_LIST_CHARACTERS = 1024 * 1024;
const TIMEOUT_MS = 5_000;

/**
 * Sentences that say what to change after a failed test: asks the API for its list of models, where it was given and
 * with `/v1` after it. Empty when that tells nothing. Never rejects.
 */
export async function modelAdvice(
  setting: ModelSetting,
  error: AppError,
  fetch: typeof globalThis.fetch,
): Promise<readonly string[]> {
  if (setting.dialect === "google" || setting.dialect === "bedrock") return [];
  if (!worthAsking(setting, error)) return [];
  const baseUrl = setting.baseUrl ?? DEFAULT_BASE_URLS[setting.dialect];
  const here = await modelNames(endpoint(baseUrl, "/models"), setting, fetch);
  if (here) return namesAdvice(here, setting, error);
  const below = await modelNames(endpoint(baseUrl, "/v1/models"), setting, fetch);
  if (!below) return [];
  return setting.dialect === "openai"
    ? ["There is an API under /v1: the base URL probably needs /v1 at its end."]
    : namesAdvice(below, setting, error);
}

/** Many APIs list their models without a key, so a refused key is no hint; one that the wrong header brings is. */
function worthAsking({ dialect }: ModelSetting, { code }: AppError): boolean {
  if (code === "model_unauthorized") return dialect === "anthropic";
  return ["model_rejected", "model_unknown", "model_stream_broken"].includes(code);
}

function namesAdvice(names: readonly string[], { model, dialect }: ModelSetting, error: AppError): readonly string[] {
  if (names.length > 0 && !names.includes(model)) {
    const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
    return [`The API has no model of that name. It has: ${names.slice(0, MAX_NAMES).join(", ")}${more}.`];
  }
  const other = dialect === "openai" ? "Anthropic" : "OpenAI-compatible";
  const status = error.details["status"];
  const wrong =
    error.code === "model_stream_broken" || (typeof status === "number" && [401, 404, 405].includes(status));
  return wrong ? [`Is it an ${other} API? Then choose that kind.`] : [];
}

/** The names that an API lists; undefined when there is no list at this URL. */
async function modelNames(
  url: string,
  { apiKey }: ModelSetting,
  fetch: typeof globalThis.fetch,
): Promise<readonly string[] | undefined> {
  const keys = apiKey ? { authorization: `Bearer ${apiKey}`, "x-api-key": apiKey } : {};
  try {
    const response = await fetch(url, {
      headers: { ...keys, "anthropic-version": "2023-06-01" },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const list = response.ok ? parseJson(await shortText(response)) : undefined;
    if (!Array.isArray(at(list, "data"))) return undefined;
    return listAt(list, "data").flatMap((item) => textAt(item, "id").slice(0, 100) || []);
  } catch {
    return undefined;
  }
}

async function shortText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_LIST_CHARACTERS) return "";
  }
  return text;
}
