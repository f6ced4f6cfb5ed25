import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Script } from "@handrail/scripted-model/script";
import type { TestServer } from "./test-server.ts";

export const MODEL_KEY = "sk-test-key";

/** A scripted model with several scripts, each under its own name. */
export const startModels = (script: readonly Script[]): Promise<ScriptedModel> =>
  startScriptedModel({ script, apiKey: MODEL_KEY });

/** Makes the server's own model the script of this name. */
export async function useModel(server: TestServer, model: ScriptedModel, name: string): Promise<void> {
  await server.client.saveModel({
    body: { dialect: "openai", baseUrl: model.baseUrl, apiKey: MODEL_KEY, model: name },
  });
}

/** What the script of this name was asked, oldest first. */
export const requestsTo = (model: ScriptedModel, name: string): readonly string[] =>
  model
    .requests()
    .filter(({ body }) => (body as { model?: string }).model === name)
    .map(({ text }) => text);
