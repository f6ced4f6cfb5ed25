import { z } from "zod";
import { ConversationId } from "./ids.ts";

/** Problem details (RFC 9457) as every failed request answers them, with the error table's `code`. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type Problem = z.infer<typeof Problem>;

export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Who may call it. `public`: anyone who reaches the port. `session`: a signed-in user, on their own things. */
  readonly access: "public" | "session";
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Absent: the answer is not JSON (a download). */
  readonly response?: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
};

/** Parameters of a route under one conversation. */
export const OneConversation = z.strictObject({ id: ConversationId });

/** The answer of a route that has nothing to say. */
export const Empty = z.object({});
