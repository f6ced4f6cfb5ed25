// What `@anthropic-ai/sdk` makes of an endpoint. Prints one JSON object: results by upstream and scenario.
import Anthropic from "@anthropic-ai/sdk";
import { IMAGE, runScenarios, WEATHER_PARAMETERS } from "./scenarios.mjs";

const { baseUrl, key, upstreams } = JSON.parse(process.argv[2]);
const client = new Anthropic({ baseURL: baseUrl, apiKey: key, maxRetries: 0 });
const tools = [{ name: "weather", input_schema: WEATHER_PARAMETERS }];
const user = (content) => ({ role: "user", content });
const ask = (model, more = {}) => ({ model, max_tokens: 500, messages: [user("Hi")], ...more });
const textOf = ({ content }) => content.flatMap((block) => (block.type === "text" ? block.text : [])).join("");
const calls = ({ content }) =>
  content.flatMap((block) => (block.type === "tool_use" ? [[block.name, block.input]] : []));
const usageOf = ({ input_tokens, output_tokens }) => [input_tokens, output_tokens];

await runScenarios(upstreams, {
  async chat(model) {
    const answer = await client.messages.create(ask(model("chat")));
    return { text: textOf(answer), finish: answer.stop_reason, usage: usageOf(answer.usage) };
  },
  async stream(model) {
    let text = "";
    const stream = client.messages.stream(ask(model("chat"))).on("text", (delta) => {
      text += delta;
    });
    const answer = await stream.finalMessage();
    return { text, finish: answer.stop_reason, usage: usageOf(answer.usage) };
  },
  async tools(model) {
    const first = await client.messages.create(ask(model("tools"), { tools, system: "Be brief." }));
    const uses = first.content.filter((block) => block.type === "tool_use");
    const results = uses.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "sunny" }));
    const messages = [user("Hi"), { role: "assistant", content: first.content }, user(results)];
    const last = await client.messages.create(ask(model("tools"), { tools, messages }));
    return { calls: calls(first), text: textOf(last) };
  },
  async streamedTools(model) {
    const answer = await client.messages.stream(ask(model("tools"), { tools })).finalMessage();
    return { text: textOf(answer), calls: calls(answer) };
  },
  async image(model) {
    const source = { type: "base64", media_type: "image/png", data: IMAGE };
    const content = [
      { type: "image", source },
      { type: "text", text: "What is it?" },
    ];
    return { text: textOf(await client.messages.create(ask(model("image"), { messages: [user(content)] }))) };
  },
  async structured(model) {
    const schema = {
      type: "object",
      properties: { city: { type: "string" }, degrees: { type: "number" } },
      required: ["city", "degrees"],
      additionalProperties: false,
    };
    const format = { type: "json_schema", schema };
    return JSON.parse(textOf(await client.messages.create(ask(model("structured"), { output_config: { format } }))));
  },
  async countTokens(model, upstream) {
    if (!upstream.counts) return "none";
    const counted = await client.messages.countTokens({ model: model("chat"), messages: [user("Hi")] });
    return { counted: counted.input_tokens > 0 };
  },
  errors: async (model) => ({
    limited: await failure(client.messages.create(ask(model("limited")))),
    invalid: await failure(client.messages.create(ask(model("invalid")))),
    broken: await failure(client.messages.create(ask(model("broken")))),
    unknown: await failure(client.messages.create(ask("nowhere"))),
    key: await failure(
      new Anthropic({ baseURL: baseUrl, apiKey: "sk-wrong", maxRetries: 0 }).messages.create(ask(model("chat"))),
    ),
  }),
});

async function failure(call) {
  try {
    await call;
    return "answered";
  } catch (thrown) {
    return [thrown.constructor.name, thrown.status ?? null, thrown.error?.type ?? null];
  }
}
