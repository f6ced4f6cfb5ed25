import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Script } from "@handrail/scripted-model/script";

/** A scripted model over HTTP and the environment that makes a server use it, as any OpenAI-compatible one. */
export async function scriptedEnvironment(
  script: Script,
): Promise<{ readonly model: ScriptedModel; readonly env: Readonly<Record<string, string>> }> {
  const model = await startScriptedModel({ script, apiKey: "sk-test-key" });
  const env = { LLM_BASE_URL: model.baseUrl, LLM_API_KEY: "sk-test-key", LLM_MODEL: script.name };
  return { model, env };
}
