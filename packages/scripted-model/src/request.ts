import type { IncomingMessage } from "node:http";
import { z } from "zod";

/** What the scripted model reads of a request of either API. Everything else is recorded and ignored. */
export const ChatRequest = z.looseObject({
  model: z.string().default(""),
  stream: z.boolean().default(false),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** How many answers the history holds: the index of the turn that comes next. */
export function assistantMessages(request: ChatRequest): number {
  return request.messages.filter((message) => message.role === "assistant").length;
}

/** The first thing that the user said: with the session header, what tells conversations apart. */
export function firstUserText(request: ChatRequest): string {
  return JSON.stringify(request.messages.find((message) => message.role === "user")?.content ?? "");
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
