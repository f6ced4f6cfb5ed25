import { z } from "zod";
import { ConversationId } from "./ids.ts";
import { Empty, OneConversation, type Route } from "./route.ts";
import { ListeningPort } from "./sandboxd/operations.ts";

const Port = z.number().int().min(1).max(65_535);
/**
 * A path of what a sandbox serves, with its query, as it stands in a request. Never another origin: browsers read a second
 * slash, or a backslash, as the start of a host. Source: WHATWG URL, "relative slash state"
 */
export const PreviewPath = z
  .string()
  .regex(/^\/(?![/\\])[\x21-\x7e]*$/, "It takes a path of this origin, percent-encoded.")
  .max(2048);
const ShareId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** How many hours a share lasts: when nobody says, and at most. */
export const SHARE_HOURS = { usual: 8, most: 7 * 24 } as const;

/** A preview that whoever has the link may open, until it expires. `expiresAt` is Unix time in milliseconds. */
export const Share = z.object({ shareId: ShareId, port: Port, url: z.string(), expiresAt: z.number() });
export type Share = z.infer<typeof Share>;

/** What programs in a sandbox serve, looked at through the server. */
export const PREVIEW_ROUTES = {
  ports: {
    method: "GET",
    path: "/api/conversations/:id/ports",
    access: "session",
    summary: "Ports that programs in the sandbox listen on, as far as is known; never starts a sandbox",
    params: OneConversation,
    response: z.object({ ports: z.array(ListeningPort), previews: z.boolean() }),
    status: 200,
  },
  openPreview: {
    method: "POST",
    path: "/api/conversations/:id/previews",
    access: "session",
    summary: "A link that opens a port in the browser that asked, good for a minute",
    params: OneConversation,
    body: z.strictObject({ port: Port, path: PreviewPath.optional() }),
    response: z.object({ url: z.string() }),
    status: 201,
  },
  shares: {
    method: "GET",
    path: "/api/conversations/:id/shares",
    access: "session",
    summary: "Previews that are shared",
    params: OneConversation,
    response: z.object({ shares: z.array(Share) }),
    status: 200,
  },
  sharePreview: {
    method: "POST",
    path: "/api/conversations/:id/shares",
    access: "session",
    summary: "Share a port with whoever has the link, for some hours",
    params: OneConversation,
    body: z.strictObject({ port: Port, hours: z.number().positive().max(SHARE_HOURS.most).default(SHARE_HOURS.usual) }),
    response: Share,
    status: 201,
  },
  endShare: {
    method: "DELETE",
    path: "/api/conversations/:id/shares/:shareId",
    access: "session",
    summary: "Stop sharing a preview",
    params: z.strictObject({ id: ConversationId, shareId: ShareId }),
    response: Empty,
    status: 200,
  },
} as const satisfies Record<string, Route>;
