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
export function lazyDemoModel(): { readonly open: () => Promise<Model>; close(): Promise<void> } {
  let started: Promise<{ model: Model; close: () => Promise<void> }> | undefined;
  return {
    async open() {
      started ??= startDemo();
      started.catch(() => (started = undefined));
      return (await started).model;
    },
    close: async () => (await started)?.close(),
  };
}

async function startDemo(): Promise<{ model: Model; close: () => Promise<void> }> {
  const [{ startScriptedModel }, { demoScript }] = await Promise.all([
    import("@handrail/scripted-model/scripted-model"),
    import("@handrail/scripted-model/demo"),
  ]);
  const server = await startScriptedModel({ script: demoScript });
  const setting = { dialect: "openai", model: "demo", baseUrl: server.baseUrl, contextTokens: 200_000 } as const;
  const free = { inputUsdPerMillion: 0, outputUsdPerMillion: 0 };
  return { model: await loadModel(DEMO_MODEL, { ...setting, ...free }), close: () => server.close() };
}
