import { type Answer, gather } from "../codecs/answer.ts";
import { CODECS } from "../codecs/codec.ts";
import { eventsOf } from "../lanes/translated.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { LaneAnswer } from "../ports/lane.ts";
import { bodyOf, piecesOf } from "./lane-calls.ts";

export const FORMATS: readonly ChatFormat[] = ["chat", "messages", "responses"];
/** The same question in every format. */
export const QUESTION: Record<ChatFormat, Record<string, unknown>> = {
  chat: {
    model: "n",
    messages: [{ role: "user", content: "hi" }],
    max_tokens: 99,
    stream_options: { include_usage: true },
  },
  messages: { model: "n", max_tokens: 99, messages: [{ role: "user", content: "hi" }] },
  responses: { model: "n", input: "hi", max_output_tokens: 99 },
};

/** The same tool in every format. */
export const TOOLS: Record<ChatFormat, object> = {
  chat: { tools: [{ type: "function", function: { name: "read", parameters: { type: "object", properties: {} } } }] },
  messages: { tools: [{ name: "read", input_schema: { type: "object", properties: {} } }] },
  responses: { tools: [{ type: "function", name: "read", parameters: { type: "object", properties: {} } }] },
};

/** An answer in a format, read back. */
export async function read(format: ChatFormat, answer: LaneAnswer, stream: boolean): Promise<Answer> {
  if (!stream) return gather(CODECS[format].readAnswer(JSON.parse(await bodyOf(answer))));
  return gather((await Array.fromAsync(eventsOf(format, piecesOf(answer)))).flat());
}

/** The history as a client would send it: the answer as it came, and a result for each call. */
export function history(format: ChatFormat, said: Record<string, unknown>): object {
  const user = { role: "user", content: "hi" };
  if (format === "chat") {
    const [{ message }] = said["choices"] as [{ message: { tool_calls: { id: string }[] } }];
    const results = message.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "ok" }));
    return { messages: [user, message, ...results] };
  }
  if (format === "messages") {
    const content = said["content"] as { type: string; id: string }[];
    const calls = content.filter(({ type }) => type === "tool_use");
    const results = calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "ok" }));
    return { messages: [user, { role: "assistant", content }, { role: "user", content: results }] };
  }
  const output = said["output"] as { type: string; call_id: string }[];
  const calls = output.filter(({ type }) => type === "function_call");
  const results = calls.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "ok" }));
  return { input: [user, ...output, ...results] };
}
