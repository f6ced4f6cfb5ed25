import { DeploymentInput, type DeploymentInfo, type ModelProvider } from "@handrail/protocol/gateway";
import { firstIssue, given, givenNumbers } from "./form-texts.ts";

/** The form of a place where a model can be had, as typed. */
export type DeploymentDraft = {
  readonly name: string;
  readonly provider: ModelProvider;
  readonly model: string;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly apiVersion: string;
  readonly region: string;
  readonly project: string;
  readonly weight: string;
  readonly requestsPerMinute: string;
  readonly tokensPerMinute: string;
  readonly contextTokens: string;
  readonly inputPrice: string;
  readonly outputPrice: string;
};

export const NEW_DEPLOYMENT: DeploymentDraft = {
  name: "",
  provider: "openai",
  model: "",
  baseUrl: "",
  apiKey: "",
  apiVersion: "",
  region: "",
  project: "",
  weight: "",
  requestsPerMinute: "",
  tokensPerMinute: "",
  contextTokens: "",
  inputPrice: "",
  outputPrice: "",
};

/** A stored place as the form shows it; its key is not known here. */
export function deploymentDraft(info: DeploymentInfo): DeploymentDraft {
  const text = (value: number | string | undefined) => (value === undefined ? "" : String(value));
  return {
    ...NEW_DEPLOYMENT,
    name: info.name,
    provider: info.provider,
    model: info.model,
    baseUrl: text(info.baseUrl),
    apiVersion: text(info.apiVersion),
    region: text(info.region),
    project: text(info.project),
    weight: text(info.weight),
    requestsPerMinute: text(info.requestsPerMinute),
    tokensPerMinute: text(info.tokensPerMinute),
    contextTokens: text(info.contextTokens),
    inputPrice: text(info.prices?.inputUsdPerMillion),
    outputPrice: text(info.prices?.outputUsdPerMillion),
  };
}

/** Providers that have no address of their own. */
const NEEDS_ADDRESS: readonly ModelProvider[] = ["azure", "vllm", "litellm", "openai_compatible"];

/** What the form says, or a sentence that says what is wrong. A name that is left empty is the model's. */
export function readDeploymentDraft(draft: DeploymentDraft, before?: DeploymentInfo): DeploymentInput | string {
  const model = draft.model.trim();
  if (model === "") return "Give the model's name as the provider knows it.";
  if (draft.baseUrl.trim() === "" && NEEDS_ADDRESS.includes(draft.provider)) return "Give the address of the API.";
  const { name, provider, baseUrl, apiKey, apiVersion, region, project } = draft;
  const { weight, requestsPerMinute, tokensPerMinute, contextTokens } = draft;
  const read = DeploymentInput.safeParse({
    provider,
    ...given({ name: name.trim() || model, model, baseUrl, apiKey, apiVersion, region, project }),
    ...givenNumbers({ weight, requestsPerMinute, tokensPerMinute, contextTokens }),
    ...notShown(before),
    ...pricesOf(draft, before),
  });
  return read.success ? read.data : firstIssue(read.error, FIELD_NAMES);
}

function notShown(before: DeploymentInfo | undefined) {
  return before?.maxOutputTokens === undefined ? {} : { maxOutputTokens: before.maxOutputTokens };
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  name: "Name",
  baseUrl: "Base URL",
  weight: "Weight",
  requestsPerMinute: "Requests a minute",
  tokensPerMinute: "Tokens a minute",
  contextTokens: "Context",
  inputUsdPerMillion: "Input price",
  outputUsdPerMillion: "Output price",
};

/** Prices that the form does not show stay. */
function pricesOf({ inputPrice, outputPrice }: DeploymentDraft, before: DeploymentInfo | undefined) {
  const { inputUsdPerMillion: _, outputUsdPerMillion: __, ...others } = before?.prices ?? {};
  const prices = { ...others, ...givenNumbers({ inputUsdPerMillion: inputPrice, outputUsdPerMillion: outputPrice }) };
  return Object.keys(prices).length === 0 ? {} : { prices };
}
