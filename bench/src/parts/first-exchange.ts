import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { createModel } from "@handrail/models/create-model";
import { driveSteps } from "./drive-steps.ts";
import { type Exchange, meteredModel } from "./metered-model.ts";
import { newConversation } from "./sample-events.ts";

/** What a model receives at the first step of a conversation on an empty workspace. */
export async function firstExchange(): Promise<Exchange | undefined> {
  const server = await meteredModel(0);
  const store = memoryLogStore();
  const { state } = await newConversation(store);
  const model = createModel({ id: "bench", dialect: "openai", model: "bench", baseUrl: server.baseUrl });
  await driveSteps({ store, conversationId: state.id, model, sandbox: scriptedSandbox() });
  await server.close();
  return server.exchanges()[0];
}
