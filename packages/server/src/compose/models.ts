import type { Model } from "@handrail/core/ports/model";
import type { ModelSetting } from "@handrail/protocol/settings";
import { DEMO_MODEL } from "../settings/model-settings.ts";

/** A model by its setting; its adapter is loaded at first use. */
export async function loadModel(id: string, setting: ModelSetting): Promise<Model> {
  const { createModel } = await import("@handrail/models/create-model");
  return createModel({ ...setting, id });
}

/** One real call with this setting, and what came of it. */
export async function testSetting(setting: ModelSetting, signal: AbortSignal) {
  const { testModel } = await import("@handrail/models/test-model");
  return testModel(setting, { signal });
}

/** The demo's model: a script that speaks over HTTP like a real one, in this process. */
export type DemoModel = {
  readonly open: () => Promise<Model>;
  /** Where it answers. */
  readonly setting: () => Promise<ModelSetting>;
  /** The same, undefined while nobody has asked for it yet. */
  started(): ModelSetting | undefined;
  close(): Promise<void>;
};

/** Started when it is first asked for. */
export function lazyDemoModel(): DemoModel {
  let starting: ReturnType<typeof startDemo> | undefined;
  let started: ModelSetting | undefined;
  const start = async () => {
    starting ??= startDemo();
    starting.catch(() => (starting = undefined));
    const demo = await starting;
    started = demo.setting;
    return demo;
  };
  return {
    open: async () => loadModel(DEMO_MODEL, (await start()).setting),
    setting: async () => (await start()).setting,
    started: () => started,
    close: async () => (await starting)?.close(),
  };
}

async function startDemo(): Promise<{ setting: ModelSetting; close: () => Promise<void> }> {
  const [{ startScriptedModel }, { demoScript }] = await Promise.all([
    import("@handrail/scripted-model/scripted-model"),
    import("@handrail/scripted-model/demo"),
  ]);
  const server = await startScriptedModel({ script: demoScript });
  const setting = { dialect: "openai", model: "demo", baseUrl: server.baseUrl, contextTokens: 200_000 } as const;
  const free = { inputUsdPerMillion: 0, outputUsdPerMillion: 0 };
  return { setting: { ...setting, ...free }, close: () => server.close() };
}
