import type { Model } from "@handrail/core/ports/model";
import { AppError } from "@handrail/protocol/errors";
import { type ModelInfo, ModelSetting } from "@handrail/protocol/settings";
import { z } from "zod";
import type { Models } from "../conversations/ports.ts";
import type { JsonFile } from "./json-file.ts";
import type { Mask } from "./mask.ts";
import type { Secrets } from "./secrets.ts";

/** What `model.json` holds: the setting with its key sealed. */
export const StoredModel = ModelSetting.omit({ apiKey: true }).extend({ sealedKey: z.string().optional() });
export type StoredModel = z.infer<typeof StoredModel>;

/** The model as the user set it, and the demo. */
export type ModelSettings = Models & {
  /** @throws AppError `forbidden` when the environment sets the model; `bad_request` when the key must be entered anew */
  save(setting: ModelSetting): Promise<ModelInfo>;
  remove(): Promise<void>;
  /** The setting with the stored key where it has none of its own and may have that one. */
  withStoredKey(setting: ModelSetting): Promise<ModelSetting>;
  /** The set model with its key; undefined when none is set. */
  current(): Promise<ModelSetting | undefined>;
  /** The same for what a conversation names: another name than the default's is a further model at the same API. */
  settingFor(id: string): Promise<ModelSetting | undefined>;
};

export type ModelSettingsParts = {
  /** From the configuration; wins over what is stored. */
  readonly fixed: ModelSetting | undefined;
  readonly file: JsonFile<StoredModel>;
  readonly secrets: Secrets;
  readonly mask: Mask;
  readonly createModel: (id: string, setting: ModelSetting) => Promise<Model>;
  /** The scripted model of the demo, started at first use. */
  readonly demoModel: () => Promise<Model>;
};

const RECORD = "model.apiKey";
/** Ids with a meaning of their own; any other is the name of a further model at the same API. */
export const DEFAULT_MODEL = "default";
export const DEMO_MODEL = "demo";

export function modelSettings(parts: ModelSettingsParts): ModelSettings {
  const { fixed, file, secrets, mask } = parts;
  mask.add(fixed?.apiKey);
  const current = () => readCurrent(parts);
  const settingFor = async (id: string) => {
    const setting = await current();
    return setting === undefined || id === DEFAULT_MODEL ? setting : { ...withoutPrices(setting), model: id };
  };
  const requiredFor = async (id: string) => {
    const setting = await settingFor(id);
    if (setting === undefined) throw unset();
    return setting;
  };
  const withStoredKey = async (setting: ModelSetting) => {
    mask.add(setting.apiKey);
    return keyed(setting, await current().catch(() => undefined));
  };
  const refuseFixed = () => {
    if (fixed !== undefined) throw isFixed();
  };

  return {
    current,
    settingFor,
    withStoredKey,
    async list() {
      const setting = await current();
      return setting === undefined ? [DEMO_INFO] : [await infoOf(parts, setting), DEMO_INFO];
    },
    defaultId: async () => (fixed !== undefined || (await file.read()) !== undefined ? DEFAULT_MODEL : null),
    async require(id) {
      if (id !== DEMO_MODEL) await requiredFor(id);
    },
    open: async (id) => (id === DEMO_MODEL ? parts.demoModel() : parts.createModel(id, await requiredFor(id))),
    async save(wanted) {
      refuseFixed();
      const { apiKey, ...setting } = await withStoredKey(wanted);
      const hasKey = apiKey !== undefined && apiKey !== "";
      const shown = await infoOf(parts, hasKey ? { ...setting, apiKey } : setting);
      await file.write(hasKey ? { ...setting, sealedKey: secrets.seal(RECORD, apiKey) } : setting);
      return shown;
    },
    async remove() {
      refuseFixed();
      await file.remove();
    },
  };
}

async function readCurrent({ fixed, file, secrets, mask }: ModelSettingsParts): Promise<ModelSetting | undefined> {
  if (fixed !== undefined) return fixed;
  const stored = await file.read();
  if (stored === undefined) return undefined;
  const { sealedKey, ...setting } = stored;
  if (sealedKey === undefined) return setting;
  const apiKey = secrets.unseal(RECORD, sealedKey);
  mask.add(apiKey);
  return { ...setting, apiKey };
}

/** A key only ever goes to the address that it was entered for. */
function keyed(setting: ModelSetting, known: ModelSetting | undefined): ModelSetting {
  if (setting.apiKey !== undefined || known?.apiKey === undefined) return setting;
  if (known.dialect !== setting.dialect || originOf(known) !== originOf(setting)) {
    throw new AppError("bad_request", "Enter the key again: it belongs to another address.", { field: "apiKey" });
  }
  return { ...setting, apiKey: known.apiKey };
}

async function infoOf({ fixed, createModel }: ModelSettingsParts, setting: ModelSetting): Promise<ModelInfo> {
  const model = await createModel(DEFAULT_MODEL, setting);
  return {
    id: DEFAULT_MODEL,
    label: setting.model,
    dialect: setting.dialect,
    ...(setting.baseUrl === undefined ? {} : { baseUrl: setting.baseUrl }),
    hasKey: setting.apiKey !== undefined,
    scripted: false,
    contextTokens: model.contextTokens,
    priced: model.price({ inputTokens: 1, outputTokens: 1 }) !== undefined,
    fixed: fixed !== undefined,
  };
}

const DEMO_INFO: ModelInfo = {
  id: DEMO_MODEL,
  label: "Demo (scripted, no real model)",
  dialect: "openai",
  hasKey: false,
  scripted: true,
  contextTokens: 200_000,
  priced: true,
  fixed: true,
};

const originOf = ({ baseUrl }: ModelSetting) => (baseUrl === undefined ? "" : new URL(baseUrl).origin);

/** Prices and sizes were said for one model; another has its own. */
function withoutPrices({ dialect, baseUrl, apiKey, model }: ModelSetting): ModelSetting {
  return { dialect, model, ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) };
}

/** Nothing can be asked of a model yet. */
export const unset = () => new AppError("model_unset", "No model is set. Set one in the settings, or try the demo.");

const isFixed = () =>
  new AppError("forbidden", "The model is set by the server's configuration. Change it there and restart Handrail.");
