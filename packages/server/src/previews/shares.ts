import { randomBytes } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";
import { ConversationId } from "@handrail/protocol/ids";
import { z } from "zod";
import type { JsonFile } from "../settings/json-file.ts";

const StoredShare = z.object({ conversationId: ConversationId, port: z.number(), expiresAt: z.number() });
export type StoredShare = z.infer<typeof StoredShare> & { readonly shareId: string };

/** What `shares.json` holds, by the share's id. */
export const SharesFile = z.record(z.string(), StoredShare);
type SharesFile = z.infer<typeof SharesFile>;

/** Previews that others may see. They survive restarts, and end by themselves. */
export type Shares = {
  /** @throws AppError `limit_reached` when there are very many */
  add(share: Omit<StoredShare, "shareId">): Promise<StoredShare>;
  /** Undefined where it was ended or is over. */
  find(shareId: string): StoredShare | undefined;
  of(conversationId: string): readonly StoredShare[];
  /** No error when there is none. */
  end(conversationId: string, shareId: string): Promise<void>;
};

const MAX_SHARES = 1000;

export async function openShares(file: JsonFile<SharesFile>, now: () => number): Promise<Shares> {
  let stored: SharesFile = (await file.read()) ?? {};
  let saved: Promise<void> = Promise.resolve();
  const save = () => (saved = saved.catch(() => undefined).then(() => file.write(stored)));
  const alive = () => Object.entries(stored).filter(([, share]) => share.expiresAt > now());
  return {
    async add(share) {
      const others = alive();
      if (others.length >= MAX_SHARES) {
        throw new AppError("limit_reached", `${MAX_SHARES} previews are shared already. End some first.`);
      }
      const shareId = randomBytes(12).toString("base64url");
      stored = Object.fromEntries([...others, [shareId, share] as const]);
      await save();
      return { ...share, shareId };
    },
    find(shareId) {
      const share = Object.hasOwn(stored, shareId) ? stored[shareId] : undefined;
      return share === undefined || share.expiresAt <= now() ? undefined : { ...share, shareId };
    },
    of: (conversationId) =>
      alive()
        .filter(([, share]) => share.conversationId === conversationId)
        .map(([shareId, share]) => ({ ...share, shareId })),
    async end(conversationId, shareId) {
      if (stored[shareId]?.conversationId !== conversationId) return;
      stored = Object.fromEntries(alive().filter(([id]) => id !== shareId));
      await save();
    },
  };
}
