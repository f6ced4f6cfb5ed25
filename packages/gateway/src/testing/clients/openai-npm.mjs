// What the `openai` package of npm makes of an endpoint. Prints one JSON object: results by upstream and scenario.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { IMAGE, runScenarios, WEATHER_PARAMETERS } from "./scenarios.mjs";

const { baseUrl, key, upstreams } = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: key, maxRetries: 0 });
const tools = [{ type: "function", function: { name: "weather", parameters: WEATHER_PARAMETERS } }];
const RESPONSES_TOOLS = [{ type: "function", name: "weather", parameters: WEATHER_PARAMETERS, strict: false }];
const user = (content) => ({ role: "user", content });
const usageOf = ({ prompt_tokens, completion_tokens }) => [prompt_tokens, completion_tokens];
const calls = (message) => message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]);

await runScenarios(upstreams, {
  async chat(model) {
    const answer = await client.chat.completions.create({ model: model("chat"), messages: [user("Hi")] });
    const [choice] = answer.choices;
    return { text: choice.message.content, finish: choice.finish_reason, usage: usageOf(answer.usage) };
  },
  async stream(model) {
    const request = {
      model: model("chat"),
      messages: [user("Hi")],
      stream: true,
      stream_options: { include_usage: true },
    };
    let [text, finish, usage] = ["", null, null];
    for await (const chunk of await client.chat.completions.create(request)) {
      text += chunk.choices[0]?.delta?.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
      if (chunk.usage) usage = usageOf(chunk.usage);
    }
    return { text, finish, usage };
  },
  async tools(model) {
    const messages = [user("Weather?")];
    const first = (await client.chat.completions.create({ model: model("tools"), messages, tools })).choices[0].message;
    messages.push(
      first,
      ...first.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: "sunny" })),
    );
    const last = await client.chat.completions.create({ model: model("tools"), messages, tools });
    return { calls: calls(first), text: last.choices[0].message.content };
  },
  async streamedTools(model) {
    const stream = client.chat.completions.stream({ model: model("tools"), messages: [user("Weather?")], tools });
    const message = await stream.finalMessage();
    return { text: message.content, calls: calls(message) };
  },
  async image(model) {
    const content = [
      { type: "text", text: "What is it?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${IMAGE}` } },
    ];
    const answer = await client.chat.completions.create({ model: model("image"), messages: [user(content)] });
    return { text: answer.choices[0].message.content };
  },
  async structured(model) {
    const Place = z.object({ city: z.string(), degrees: z.number() });
    const answer = await client.chat.completions.parse({
      model: model("structured"),
      messages: [user("Where?")],
      response_format: zodResponseFormat(Place, "place"),
    });
    return answer.choices[0].message.parsed;
  },
  async responses(model) {
    const answer = await client.responses.create({ model: model("tools"), input: "Weather?", tools: RESPONSES_TOOLS });
    const items = answer.output.filter((item) => item.type === "function_call");
    return {
      text: answer.output_text,
      calls: items.map((item) => [item.name, JSON.parse(item.arguments)]),
      usage: [answer.usage.input_tokens, answer.usage.output_tokens],
    };
  },
  async streamedResponses(model) {
    let [text, done] = ["", null];
    for await (const event of await client.responses.create({ model: model("chat"), input: "Hi", stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") done = event.response.output_text ?? event.response.status;
    }
    return { text, done: done !== null };
  },
  async embeddings(model, upstream) {
    if (!upstream.embeds) return "none";
    const { data, usage } = await client.embeddings.create({ model: model("embed"), input: ["a", "b"] });
    return {
      count: data.length,
      numbers: data.every(({ embedding }) => embedding.every(Number.isFinite)),
      usage: usage.prompt_tokens > 0,
    };
  },
  errors: async (model) => ({
    limited: await failure(client.chat.completions.create({ model: model("limited"), messages: [user("Hi")] })),
    invalid: await failure(client.chat.completions.create({ model: model("invalid"), messages: [user("Hi")] })),
    broken: await failure(client.chat.completions.create({ model: model("broken"), messages: [user("Hi")] })),
    unknown: await failure(client.chat.completions.create({ model: "nowhere", messages: [user("Hi")] })),
    key: await failure(
      new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: "sk-wrong", maxRetries: 0 }).chat.completions.create({
        model: model("chat"),
        messages: [user("Hi")],
      }),
    ),
  }),
});

async function failure(call) {
  try {
    await call;
    return "answered";
  } catch (thrown) {
    return [thrown.constructor.name, thrown.status ?? null];
  }
}
