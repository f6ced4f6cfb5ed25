import type { ModelSetting } from "@handrail/protocol/settings";
import type { AiSdkSource } from "./ai-sdk-model.ts";

type Fetch = typeof globalThis.fetch;

/** Google's Gemini API. The base URL is its prefix, `https://generativelanguage.googleapis.com/v1beta` by default. */
export function googleSource(setting: ModelSetting, fetch: Fetch | undefined): AiSdkSource {
  return {
    owner: { dialect: "google", model: setting.model },
    async load() {
      const { createGoogle } = await import("@ai-sdk/google");
      return createGoogle({ ...common(setting, fetch), ...apiKey(setting) })(setting.model);
    },
  };
}

/**
 * Amazon Bedrock. The key is a Bedrock API key, or `ID:SECRET` or `ID:SECRET:SESSION` of an AWS access key; without one
 * the AWS variables of the environment count. The region is that of the base URL, else `AWS_REGION`.
 */
export function bedrockSource(setting: ModelSetting, fetch: Fetch | undefined): AiSdkSource {
  return {
    owner: { dialect: "bedrock", model: setting.model },
    async load() {
      const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
      const region = /bedrock-runtime\.([a-z0-9-]+)\./.exec(setting.baseUrl ?? "")?.[1];
      const settings = { ...common(setting, fetch), ...awsKey(setting), ...(region === undefined ? {} : { region }) };
      return createAmazonBedrock(settings)(setting.model);
    },
  };
}

function common({ baseUrl }: ModelSetting, fetch: Fetch | undefined): { baseURL?: string; fetch?: Fetch } {
  return {
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl.replace(/\/+$/, "") }),
    ...(fetch === undefined ? {} : { fetch }),
  };
}

function apiKey({ apiKey }: ModelSetting): { apiKey?: string } {
  return apiKey === undefined ? {} : { apiKey };
}

function awsKey(setting: ModelSetting): object {
  const [accessKeyId, secretAccessKey, sessionToken] = setting.apiKey?.split(":") ?? [];
  if (secretAccessKey === undefined) return apiKey(setting);
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
