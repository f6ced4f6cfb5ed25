import { createHmac, timingSafeEqual } from "node:crypto";
import { ConversationId } from "@handrail/protocol/ids";
import { z } from "zod";

/**
 * What lets a browser see one port of one conversation's sandbox. `link` is in an address and is traded for a `visit`,
 * which is in a cookie. `session` is the hash of the Handrail session that it ends with; empty for the local program.
 * `shareId` is set where a share gave it, and then user and session do not count. Unix time in milliseconds.
 */
export const Pass = z.strictObject({
  kind: z.enum(["link", "visit"]),
  conversationId: ConversationId,
  port: z.number().int().min(1).max(65_535),
  userId: z.string(),
  session: z.string(),
  shareId: z.string().optional(),
  expiresAt: z.number(),
});
export type Pass = z.infer<typeof Pass>;

/** Writes passes that nobody else can, and reads them back. Nothing is stored. */
export type Passes = {
  sign(pass: Pass): string;
  /** The pass, or undefined where it is none of ours, or of another kind, or over. */
  read(text: string, kind: Pass["kind"]): Pass | undefined;
};

const MAX_TEXT = 2000;

/** A pass is its JSON in base64url, a dot, and HMAC-SHA-256 (RFC 2104) of that under `key`. */
export function passes(key: Buffer, now: () => number): Passes {
  const mark = (body: string) => createHmac("sha256", key).update(body).digest();
  return {
    sign(pass) {
      const body = Buffer.from(JSON.stringify(pass)).toString("base64url");
      return `${body}.${mark(body).toString("base64url")}`;
    },
    read(text, kind) {
      const [body = "", given = ""] = text.length > MAX_TEXT ? [] : text.split(".");
      const expected = mark(body);
      const bytes = Buffer.from(given, "base64url");
      if (bytes.length !== expected.length || !timingSafeEqual(bytes, expected)) return undefined;
      const pass = Pass.parse(JSON.parse(Buffer.from(body, "base64url").toString()));
      return pass.kind === kind && pass.expiresAt > now() ? pass : undefined;
    },
  };
}
