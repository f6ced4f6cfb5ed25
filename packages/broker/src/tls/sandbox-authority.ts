import { constants } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { type Identity, newAuthority, newLeaf } from "./certificate.ts";

/**
 * The certificate authority of one sandbox. Its key is in this process's memory only and dies with it; what it signs is
 * believed by that sandbox alone.
 */
export type SandboxAuthority = {
  /** The authority's certificate as PEM, for the sandbox to believe. */
  readonly certificate: string;
  /** What a server presents as `host`. Made at first use, kept for a day. */
  contextFor(host: string): SecureContext;
};

const DAY_MS = 24 * 3_600_000;
const AUTHORITY_DAYS = 90;
const LEAF_DAYS = 2;
const MAX_LEAVES = 256;

/** Certificates begin a day early, for a sandbox whose clock is behind. */
export function sandboxAuthority(now: () => number = Date.now): SandboxAuthority {
  const name = `Handrail sandbox ${crypto.randomUUID()}`;
  const made = now();
  const authority: Identity = newAuthority(name, { from: made - DAY_MS, to: made + AUTHORITY_DAYS * DAY_MS });
  const leaves = new Map<string, { readonly at: number; readonly context: SecureContext }>();
  return {
    certificate: authority.certificate,
    contextFor(host) {
      const known = leaves.get(host);
      if (known !== undefined && now() - known.at < DAY_MS) return known.context;
      const life = { from: now() - DAY_MS, to: now() + LEAF_DAYS * DAY_MS };
      const leaf = newLeaf(authority, name, host, life);
      const context = createSecureContext({
        key: leaf.key.export({ format: "pem", type: "pkcs8" }),
        cert: leaf.certificate,
        minVersion: "TLSv1.2",
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      });
      leaves.delete(host);
      leaves.set(host, { at: now(), context });
      for (const oldest of leaves.keys()) if (leaves.size > MAX_LEAVES) leaves.delete(oldest);
      return context;
    },
  };
}
