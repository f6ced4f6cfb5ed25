import type { IncomingMessage } from "node:http";
import { z } from "zod";

/** A request of any of the APIs, as far as a script needs to know it. */
export type Asked = {
  readonly model: string;
  readonly stream: boolean;
  /** How many answers the history holds: the index of the turn that comes next. */
  readonly answers: number;
  /** The first thing that the user said: with the session header, what tells conversations apart. */
  readonly firstUserText: string;
  /** The body as it was parsed. */
  readonly body: Readonly<Record<string, unknown>>;
  /** In characters. */
  readonly size: number;
};

/** What a path says: the model where it is not in the body, and whether the answer is streamed. */
export type PathFacts = { readonly model?: string; readonly stream?: boolean };

/** Reads a body into what is asked, or says what is wrong with it. */
export type Reader = (body: unknown, path: PathFacts, size: number) => Asked | string;

const Common = z.looseObject({ model: z.string().nullish(), stream: z.boolean().nullish() });
const Item = z.looseObject({ role: z.string().nullish(), content: z.unknown().optional(), type: z.string().nullish() });
/** A request of Chat Completions or Messages. */
export const ChatRequest = Common.extend({ messages: z.array(Item) });
export type ChatRequest = z.infer<typeof ChatRequest>;
const Responses = Common.extend({
  input: z.union([z.string(), z.array(Item)]),
  previous_response_id: z.string().nullish(),
});
const Google = z.looseObject({
  contents: z.array(z.looseObject({ role: z.string().nullish(), parts: z.unknown().optional() })),
});
const Anything = z.looseObject({ model: z.string().nullish() });

/** Chat Completions and Messages: an answer is a message of the assistant. */
export const readChat: Reader = reader(ChatRequest, ({ messages }) => ({
  answers: messages.filter((message) => message.role === "assistant").length,
  first: messages.find((message) => message.role === "user")?.content,
}));

/** Responses: an answer is a run of items that the model made. */
export const readResponses: Reader = reader(Responses, ({ input, previous_response_id }) => {
  const items = typeof input === "string" ? [{ role: "user", content: input, type: "message" }] : input;
  const own = items.map(({ role, type }) => role === "assistant" || OWN_ITEMS.has(type ?? ""));
  return {
    answers: own.filter((mine, index) => mine && !own[index - 1]).length + turnOf(previous_response_id ?? ""),
    first: items.find(({ role }) => role === "user")?.content,
  };
});

/** Google: an answer is a content of the model. */
export const readGoogle: Reader = reader(Google, ({ contents }) => ({
  answers: contents.filter(({ role }) => role === "model").length,
  first: contents.find(({ role }) => role !== "model")?.parts,
}));

/** A request without a history, such as for embeddings. Its answer is the script's first turn, never streamed. */
export const readSingle: Reader = (body, path, size) => {
  const asked = reader(Anything, (request) => ({ answers: 0, first: request }))(body, path, size);
  return typeof asked === "string" ? asked : { ...asked, stream: false };
};

const OWN_ITEMS = new Set(["reasoning", "function_call"]);

/** A response's id ends in the turn that it was. */
function turnOf(responseId: string): number {
  return Number(/^resp_scripted-(\d+)$/.exec(responseId)?.[1] ?? 0);
}

function reader<Schema extends z.ZodType>(
  schema: Schema,
  read: (request: z.output<Schema>) => { readonly answers: number; readonly first: unknown },
): Reader {
  return (body, path, size) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) return z.prettifyError(parsed.error);
    const { answers, first } = read(parsed.data);
    const record = body as Record<string, unknown>;
    return {
      model: path.model ?? (typeof record["model"] === "string" ? record["model"] : ""),
      stream: path.stream ?? record["stream"] === true,
      answers,
      firstUserText: JSON.stringify(first ?? ""),
      body: record,
      size,
    };
  };
}

/** The body's text. Rejects when it is over `maxBytes` or when the client leaves. */
export async function readBody(message: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message) {
    const bytes = part as Buffer;
    size += bytes.length;
    if (size > maxBytes) throw new RangeError("The body is too large.");
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString("utf8");
}
