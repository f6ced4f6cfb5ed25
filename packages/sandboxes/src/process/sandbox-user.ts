import { createHash } from "node:crypto";

/** Ids that neither Debian, systemd nor shadow's subordinate ids give away. Source: systemd.io/UIDS-GIDS */
const FIRST_UID = 0x7000_0000;
const UIDS = 0x0ff0_0000;

/**
 * The user of the host that a conversation's sandbox runs as: when the server is root, one of its own, without a name;
 * otherwise undefined, the server's own.
 */
export function sandboxUid(conversationId: string, asRoot: boolean): number | undefined {
  if (!asRoot) return undefined;
  const hash = createHash("sha256").update(conversationId).digest();
  return FIRST_UID + (hash.readUInt32BE(0) % UIDS);
}
