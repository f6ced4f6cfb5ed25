import type { ModelDialect, ModelSetting } from "@handrail/protocol/settings";

/** The model form as typed. */
export type ModelDraft = {
  readonly dialect: ModelDialect;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly contextTokens: string;
  readonly inputPrice: string;
  readonly outputPrice: string;
};

export const NEW_MODEL: ModelDraft = {
  dialect: "openai",
  baseUrl: "",
  apiKey: "",
  model: "",
  contextTokens: "",
  inputPrice: "",
  outputPrice: "",
};

export type ModelProblem = { readonly field: keyof ModelDraft; readonly text: string };

/** The setting that the form says, or what is wrong with it first. */
export function readModelDraft(draft: ModelDraft): ModelSetting | ModelProblem {
  const baseUrl = draft.baseUrl.trim();
  const model = draft.model.trim();
  if (baseUrl === "" && draft.dialect === "openai") return { field: "baseUrl", text: "Give the address of the API." };
  if (baseUrl !== "" && !isHttpUrl(baseUrl)) {
    return { field: "baseUrl", text: "The address must start with http:// or https://." };
  }
  if (model === "") return { field: "model", text: "Give the model's name as the API knows it." };
  const numbers = readNumbers(draft);
  if ("field" in numbers) return numbers;
  return {
    dialect: draft.dialect,
    model,
    ...(baseUrl === "" ? {} : { baseUrl }),
    ...(draft.apiKey === "" ? {} : { apiKey: draft.apiKey.trim() }),
    ...numbers,
  };
}

/** Whether reading the form found a problem. */
export const isProblem = (read: ModelSetting | ModelProblem): read is ModelProblem => "field" in read;

const NUMBERS = [
  { field: "contextTokens", key: "contextTokens", whole: true },
  { field: "inputPrice", key: "inputUsdPerMillion", whole: false },
  { field: "outputPrice", key: "outputUsdPerMillion", whole: false },
] as const;

function readNumbers(draft: ModelDraft): Partial<ModelSetting> | ModelProblem {
  const numbers: Record<string, number> = {};
  for (const { field, key, whole } of NUMBERS) {
    const text = draft[field].trim();
    if (text === "") continue;
    const value = Number(text);
    const good = whole ? Number.isInteger(value) && value > 0 : value >= 0;
    if (!good) return { field, text: whole ? "Give a whole number above 0." : "Give a number, 0 or more." };
    numbers[key] = value;
  }
  return numbers;
}

const isHttpUrl = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
