import { z } from "zod";
import { Limits } from "./limits.ts";
import { MODEL_DIALECTS } from "./model-names.ts";
import { BackendName, NetworkRule, SandboxProfile } from "./sources.ts";

/** Which wire format a model speaks. `google` and `bedrock` go through their own SDK's provider. */
export const ModelDialect = z.enum(MODEL_DIALECTS);
export type ModelDialect = z.infer<typeof ModelDialect>;

/** A model as the user sets it. `apiKey` only travels towards the server. Prices in US dollars per million tokens. */
export const ModelSetting = z.strictObject({
  dialect: ModelDialect,
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  apiKey: z.string().max(8192).optional(),
  model: z.string().min(1).max(256),
  contextTokens: z.number().int().positive().optional(),
  maxOutputTokens: z.number().int().positive().optional(),
  inputUsdPerMillion: z.number().nonnegative().optional(),
  outputUsdPerMillion: z.number().nonnegative().optional(),
});
export type ModelSetting = z.infer<typeof ModelSetting>;

/** What came of one real call. `message` is one sentence; `answer` is what the API said, with secrets masked. */
export const ModelTest = z.object({
  ok: z.boolean(),
  message: z.string(),
  code: z.string().optional(),
  answer: z.string().optional(),
  latencyMs: z.number(),
});

/** A model as lists show it. `id` is what a conversation names; `demo` is the scripted model. */
export const ModelInfo = z.object({
  id: z.string(),
  label: z.string(),
  dialect: ModelDialect,
  baseUrl: z.string().optional(),
  hasKey: z.boolean(),
  scripted: z.boolean(),
  contextTokens: z.number(),
  priced: z.boolean(),
  /** True where the environment or a flag set it: the page cannot change it. */
  fixed: z.boolean(),
});
export type ModelInfo = z.infer<typeof ModelInfo>;

export const BackendInfo = z.object({
  name: BackendName,
  works: z.boolean(),
  detail: z.string(),
  remedy: z.string().optional(),
  /** Those that its sandboxes can have on this machine. None where it does not work. */
  profiles: z.array(SandboxProfile).readonly(),
});
export type BackendInfo = z.infer<typeof BackendInfo>;

/** What a new conversation starts from when the user says nothing else. */
export const Defaults = z.object({
  model: z.string().nullable(),
  backend: BackendName.nullable(),
  profile: SandboxProfile.optional(),
  /** Those that conversations may have. */
  profiles: z.array(SandboxProfile).optional(),
  network: NetworkRule,
  limits: Limits,
  runLimits: Limits,
});
export type Defaults = z.infer<typeof Defaults>;

/** One line of `handrail doctor`. */
export const Finding = z.object({
  name: z.string(),
  /** `partial`: it works, and not all that conversations may have can be had with it. */
  state: z.enum(["ok", "warning", "partial", "missing"]),
  detail: z.string(),
  remedy: z.string().optional(),
});
export type Finding = z.infer<typeof Finding>;
