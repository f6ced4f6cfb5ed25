import type { Manners } from "./chat-request-write.ts";
import type { Audio, CacheMark, Call, Content, Part, Prompt, Reasoning, Result, Turn } from "./prompt.ts";
import { refuse, set } from "./refuse.ts";
import { urlOf } from "./sources.ts";
import type { Target } from "./target.ts";

type Context = { readonly manners: Manners; readonly target: Target };

/** The messages of Chat Completions. */
export function writeMessages({ system, turns }: Prompt, manners: Manners, target: Target): readonly object[] {
  const context = { manners, target };
  const lead = system.length === 0 ? [] : [{ role: "system", content: contentOf(system, context) }];
  return [...lead, ...turns.flatMap((turn) => messagesOf(turn, context))];
}

function messagesOf(turn: Turn, context: Context): readonly object[] {
  if (turn.role === "assistant") return [assistantMessage(turn.parts, context)];
  const results = turn.parts.filter((part) => part.type === "result");
  const said = turn.parts.filter((part): part is Content | Audio => SAID.has(part.type));
  const shown = results.flatMap(({ content }) => content.filter(({ type }) => type !== "text"));
  const all = [...shown, ...said];
  return [
    ...results.map((result) => toolMessage(result, context)),
    ...(all.length === 0 ? [] : [{ role: turn.role, content: contentOf(all, context) }]),
  ];
}

const SAID = new Set(["text", "image", "file", "audio"]);

/** Tool messages have only text: images of a result follow in a message of the user. */
function toolMessage({ callId, content, failed, cache }: Result, context: Context): object {
  if (failed) context.target.warnings.add("is_error was left out");
  const texts = content.filter((part) => part.type === "text");
  return {
    role: "tool",
    tool_call_id: callId,
    content: texts.length === 0 ? "" : contentOf(texts, context),
    ...markOf(cache, context),
  };
}

function assistantMessage(parts: readonly Part[], context: Context): object {
  const texts = parts.filter((part) => part.type === "text");
  const calls = parts.filter((part) => part.type === "call");
  const refusals = parts.filter((part) => part.type === "refusal");
  return {
    role: "assistant",
    content: texts.length === 0 ? null : contentOf(texts, context),
    ...(refusals.length === 0 ? {} : { refusal: refusals.map(({ text }) => text).join("") }),
    ...thoughts(
      parts.filter((part) => part.type === "reasoning"),
      context.manners,
    ),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => toolCall(call, context)) }),
  };
}

/** Thoughts are not part of what most models are asked again; those that want them say so. */
function thoughts(reasoning: readonly Reasoning[], manners: Manners): object {
  if (reasoning.length === 0) return {};
  const blocks = reasoning.flatMap(signedBlock);
  return {
    ...(manners.reasoning ? { reasoning_content: reasoning.map(({ text }) => text).join("") } : {}),
    ...(manners.thinkingBlocks && blocks.length > 0 ? { thinking_blocks: blocks } : {}),
  };
}

/** Anthropic's own blocks. Seals of others mean nothing to a server of Chat Completions. */
function signedBlock({ text, seal }: Reasoning): readonly object[] {
  if (seal?.kind === "thinking") return [{ type: "thinking", thinking: text, signature: seal.signature }];
  if (seal?.kind === "redacted") return [{ type: "redacted_thinking", data: seal.data }];
  return [];
}

function toolCall({ id, name, arguments: text, cache }: Call, context: Context): object {
  return { id, type: "function", function: { name, arguments: text }, ...markOf(cache, context) };
}

/** One plain text is a string, as most servers know it best. */
function contentOf(parts: readonly (Content | Audio)[], context: Context): unknown {
  const written = parts.map((part) => contentPart(part, context));
  const [first] = parts;
  const plain = written.length === 1 && first?.type === "text" && Object.keys(written[0] ?? {}).length === 2;
  return plain ? first.text : written;
}

function contentPart(part: Content | Audio, context: Context): object {
  if (part.type === "audio") return { type: "input_audio", input_audio: { data: part.data, format: part.format } };
  const mark = markOf(part.cache, context);
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text, ...mark };
    case "image":
      return {
        type: "image_url",
        image_url: { url: urlOf(part.source, "image"), ...set({ detail: part.detail }) },
        ...mark,
      };
    case "file":
      return { type: "file", file: fileOf(part), ...mark };
  }
}

function fileOf({ source, name }: Extract<Content, { type: "file" }>): object {
  const filename = set({ filename: name });
  if (source.kind === "id") return { file_id: source.id, ...filename };
  if (source.kind === "url") return refuse("file_url", "Chat Completions takes files only with their bytes.");
  return { file_data: urlOf(source, "file"), ...filename };
}

function markOf(cache: CacheMark | undefined, { manners, target }: Context): object {
  if (cache === undefined) return {};
  if (manners.cacheMarks) return { cache_control: cache };
  target.warnings.add("cache_control was left out");
  return {};
}
