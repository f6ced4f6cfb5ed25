// What `ai` with two of its providers makes of an endpoint. Prints one JSON object: results by upstream and scenario.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { IMAGE, runScenarios } from "./scenarios.mjs";

const { baseUrl, key, upstreams, provider } = JSON.parse(process.argv[2]);
const compatible = (apiKey) =>
  createOpenAICompatible({
    name: "gateway",
    baseURL: `${baseUrl}/v1`,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
const providerFor = (apiKey) =>
  provider === "anthropic" ? createAnthropic({ baseURL: `${baseUrl}/v1`, apiKey }) : compatible(apiKey);
const models = providerFor(key);
const weather = tool({ inputSchema: z.object({ city: z.string() }), execute: async () => "sunny" });
const common = { maxRetries: 0, maxOutputTokens: 500 };
const usageOf = ({ inputTokens, outputTokens }) => [inputTokens, outputTokens];
const callsOf = (steps) => steps.flatMap(({ toolCalls }) => toolCalls.map(({ toolName, input }) => [toolName, input]));

await runScenarios(upstreams, {
  async chat(model) {
    const { text, finishReason, usage } = await generateText({ ...common, model: models(model("chat")), prompt: "Hi" });
    return { text, finish: finishReason, usage: usageOf(usage) };
  },
  async stream(model) {
    const result = streamText({ ...common, model: models(model("chat")), prompt: "Hi" });
    let text = "";
    for await (const delta of result.textStream) text += delta;
    return { text, finish: await result.finishReason, usage: usageOf(await result.usage) };
  },
  async tools(model) {
    const asked = {
      ...common,
      model: models(model("tools")),
      prompt: "Weather?",
      tools: { weather },
      stopWhen: stepCountIs(3),
    };
    const { text, steps } = await generateText(asked);
    return { text, calls: callsOf(steps) };
  },
  async streamedTools(model) {
    const asked = {
      ...common,
      model: models(model("tools")),
      prompt: "Weather?",
      tools: { weather },
      stopWhen: stepCountIs(3),
    };
    const result = streamText(asked);
    await result.consumeStream();
    return { text: await result.text, calls: callsOf(await result.steps) };
  },
  async image(model) {
    const content = [
      { type: "text", text: "What is it?" },
      { type: "file", data: Buffer.from(IMAGE, "base64"), mediaType: "image/png" },
    ];
    const { text } = await generateText({
      ...common,
      model: models(model("image")),
      messages: [{ role: "user", content }],
    });
    return { text };
  },
  async structured(model) {
    const schema = z.object({ city: z.string(), degrees: z.number() });
    const asked = {
      ...common,
      model: models(model("structured")),
      prompt: "Where?",
      output: Output.object({ schema }),
    };
    return (await generateText(asked)).output;
  },
  async embeddings(model, upstream) {
    if (provider === "anthropic" || !upstream.embeds) return "none";
    const { embeddings } = await embedMany({
      model: models.embeddingModel(model("embed")),
      values: ["a", "b"],
      maxRetries: 0,
    });
    return { count: embeddings.length, numbers: embeddings.every((vector) => vector.every(Number.isFinite)) };
  },
  errors: async (model) => ({
    limited: await failure(generateText({ ...common, model: models(model("limited")), prompt: "Hi" })),
    invalid: await failure(generateText({ ...common, model: models(model("invalid")), prompt: "Hi" })),
    broken: await failure(generateText({ ...common, model: models(model("broken")), prompt: "Hi" })),
    unknown: await failure(generateText({ ...common, model: models("nowhere"), prompt: "Hi" })),
    key: await failure(generateText({ ...common, model: providerFor("sk-wrong")(model("chat")), prompt: "Hi" })),
  }),
});

async function failure(call) {
  try {
    await call;
    return "answered";
  } catch (thrown) {
    return [thrown.name, thrown.statusCode ?? null, thrown.isRetryable ?? null];
  }
}
