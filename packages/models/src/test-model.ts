import type { Model, ModelPart, ModelRequest } from "@handrail/core/ports/model";
import { AppError, type ErrorCode, toAppError } from "@handrail/protocol/errors";
import type { ModelSetting } from "@handrail/protocol/settings";
import { createModel, type CreateModelOptions, secretsOf } from "./create-model.ts";
import { modelAdvice } from "./model-advice.ts";
import { safeText } from "./safe-text.ts";

/** What one real call came to. `message` is a sentence for people that says what to do; it never holds the key. */
export type ModelTest = {
  readonly ok: boolean;
  readonly message: string;
  readonly code?: ErrorCode;
  /** The beginning of what the model said. */
  readonly answer?: string;
  readonly latencyMs: number;
};

const TIMEOUTS = { firstByteMs: 30_000, betweenMs: 30_000 };
const WHOLE_MS = 60_000;
const MAX_ANSWER = 200;

/** Makes one small call, with a tool, as the agent's calls have tools. Never throws; takes at most a minute. */
export async function testModel(
  setting: ModelSetting,
  options: CreateModelOptions & { readonly signal?: AbortSignal } = {},
): Promise<ModelTest> {
  const started = performance.now();
  const timed = () => Math.round(performance.now() - started);
  const limit = AbortSignal.any([AbortSignal.timeout(WHOLE_MS), ...(options.signal ? [options.signal] : [])]);
  try {
    const model = createModel({ ...setting, id: setting.model }, { timeouts: TIMEOUTS, ...options });
    const answer = safeText(await said(model, limit), secretsOf(setting)).slice(0, MAX_ANSWER);
    return { ok: true, message: `The model ${setting.model} answers.`, answer, latencyMs: timed() };
  } catch (thrown) {
    const error = failure(thrown, limit);
    const latencyMs = timed();
    const advice = await modelAdvice(setting, error, options.fetch ?? globalThis.fetch);
    const message = safeText([error.message, ...advice].join(" "), secretsOf(setting));
    return { ok: false, message, code: error.code, latencyMs };
  }
}

async function said(model: Model, signal: AbortSignal): Promise<string> {
  for await (const output of model.stream(QUESTION, signal)) {
    if (output.type !== "end") continue;
    const spoken = output.content.filter((part) => part.type === "text");
    return (spoken.length > 0 ? spoken : output.content).map(shown).join(" ");
  }
  return "";
}

function shown(part: ModelPart): string {
  return part.type === "call" ? `(calls ${part.tool})` : part.text;
}

/** Room for a little reasoning: an answer that is cut there is an answer too. */
const QUESTION: ModelRequest = {
  conversationId: "model-test",
  system: "This is a test of the connection. Answer with one word.",
  tools: [
    {
      name: "finish",
      description: "Not needed now.",
      parameters: { type: "object", properties: { summary: { type: "string" } }, required: ["summary"] },
    },
  ],
  messages: [{ role: "user", content: [{ type: "text", text: "Say: ready" }] }],
  maxOutputTokens: 256,
};

function failure(thrown: unknown, limit: AbortSignal): AppError {
  if (!limit.aborted) return toAppError(thrown);
  return new AppError("model_timeout", "The model did not answer within a minute.");
}
