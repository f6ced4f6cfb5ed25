import type { LogStore } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { requireTeam } from "../auth/policy.ts";
import type { Conversations } from "../conversations/conversations.ts";
import { createConversation, type CreateParts } from "../conversations/create-conversation.ts";
import type { Handlers } from "../http/handlers.ts";
import { mentionedBlobs } from "../conversations/mentioned-blobs.ts";
import { requireRule } from "../network/require-hosts.ts";
import { imageType } from "./image-type.ts";

type Names =
  | "conversations"
  | "createConversation"
  | "conversation"
  | "changeConversation"
  | "deleteConversation"
  | "events"
  | "addMessage"
  | "stopRun"
  | "continueRun"
  | "uploadBlob"
  | "blob";

export type ConversationHandlerParts = {
  readonly conversations: Conversations;
  readonly create: CreateParts;
  readonly store: Pick<LogStore, "read" | "summary" | "putBlob" | "getBlob">;
  /** Tells the owner's pages that it is gone. */
  readonly removed: (conversationId: string, ownerId: string) => void;
};

const EVENTS_LIMIT = 1000;
const LIST_LIMIT = 50;
const MAX_IMAGE_BYTES = 10_000_000;

export function conversationHandlers(parts: ConversationHandlerParts): Pick<Handlers, Names> {
  const { conversations, create, store, removed } = parts;
  return {
    async conversations({ query: { search, archived, after, limit = LIST_LIMIT }, identity }) {
      const cursor = after === undefined ? undefined : cursorOf(after);
      const found = await conversations.list({
        ownerId: identity.userId,
        archived: archived === "true",
        limit: limit + 1,
        ...(search === undefined ? {} : { search }),
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      const page = found.slice(0, limit);
      return { conversations: page, next: found.length > limit ? cursorText(page.at(-1)) : null };
    },
    async createConversation({ body, identity, signal }) {
      requireTeam(body.teamId, identity);
      requireRule(body.sandbox?.network);
      return createConversation(create, { ...body, ownerId: identity.userId }, signal);
    },
    conversation: async ({ params }) => conversations.get(params.id),
    async changeConversation({ params, body }) {
      requireRule(body.network);
      return conversations.change(params.id, body);
    },
    async deleteConversation({ params, identity }) {
      await conversations.remove(params.id);
      removed(params.id, identity.userId);
      return {};
    },
    async events({ params, query: { after = -1, limit = EVENTS_LIMIT } }) {
      const { head } = await store.summary(params.id);
      return { events: [...(await store.read(params.id, after, limit))], head };
    },
    addMessage: async ({ params, body, identity }) =>
      conversations.addMessage(params.id, {
        messageId: body.messageId,
        userId: identity.userId,
        content: body.content,
        runLimits: body.runLimits,
      }),
    ...runHandlers(conversations),
    ...blobHandlers(store),
  };
}

function runHandlers(conversations: Conversations): Pick<Handlers, "stopRun" | "continueRun"> {
  return {
    async stopRun({ params }) {
      await conversations.stop(params.id);
      return {};
    },
    async continueRun({ params, body }) {
      await conversations.goOn(params.id, body?.runLimits);
      return {};
    },
  };
}

function blobHandlers(store: ConversationHandlerParts["store"]): Pick<Handlers, "uploadBlob" | "blob"> {
  const mentioned = mentionedBlobs(store);
  return {
    async uploadBlob({ body }) {
      const bytes = Buffer.from(body.data, "base64");
      if (bytes.length > MAX_IMAGE_BYTES) throw new AppError("body_too_large", "Images may have at most 10 MB.");
      if (imageType(bytes) !== body.mediaType) {
        throw new AppError("unsupported_media_type", "The file is not an image of the type that it claims to be.");
      }
      return { blob: await store.putBlob(bytes), mediaType: body.mediaType };
    },
    async blob({ params }) {
      if (!(await mentioned.has(params.id, params.ref))) {
        throw new AppError("not_found", "There is no such image in this conversation.");
      }
      const bytes = Buffer.from(await store.getBlob(params.ref));
      return { contentType: imageType(bytes) ?? "application/octet-stream", content: bytes, immutable: true };
    },
  };
}

const cursorText = (last: ConversationSummary | undefined) =>
  last === undefined ? null : `${last.updatedAt}.${last.id}`;

function cursorOf(text: string): { updatedAt: number; id: string } {
  const [, updatedAt, id] = /^(\d{1,16})\.(c_[0-9a-z]{20})$/.exec(text) ?? [];
  if (updatedAt === undefined || id === undefined) {
    throw new AppError("bad_request", "query.after: must be the next of the page before.", { field: "query.after" });
  }
  return { updatedAt: Number(updatedAt), id };
}
