import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { connect, getCACertificates, type TLSSocket } from "node:tls";
import type { Target } from "../host.ts";
import type { Refusal } from "../refusal.ts";
import { handshake } from "./handshake.ts";

/**
 * TLS over a connection to the target, whose certificate was checked against the roots: those that Node brings, the
 * system's and those of `NODE_EXTRA_CA_CERTS`. Gives a refusal in words when it is not good. HTTP/1.1 only.
 */
export async function verifiedUpstream(
  socket: Socket,
  { host }: Target,
  roots: readonly string[] = defaultRoots(),
): Promise<TLSSocket | Refusal> {
  const secure = connect({
    socket,
    host: host.name,
    ...(host.address ? {} : { servername: host.name }),
    ca: [...roots],
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });
  try {
    await handshake(secure, "secureConnect");
    return secure;
  } catch (thrown) {
    secure.destroy();
    return { code: "upstream_untrusted", message: explained(host.name, thrown) };
  }
}

let known: readonly string[] | undefined;

function defaultRoots(): readonly string[] {
  known ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return known;
}

function explained(host: string, thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException).code ?? "";
  const why = WORDS[code];
  if (why !== undefined) return `The certificate of ${host} cannot be trusted: ${why}`;
  const certificate = /CERT|SIGNATURE|VERIFY|CRL/.test(code);
  if (certificate) return `The certificate of ${host} cannot be trusted (${code}).`;
  return `${host} does not complete the TLS handshake${code === "" ? "" : ` (${code})`}.`;
}

const OWN_CA = "If its authority is one of your own, set NODE_EXTRA_CA_CERTS for the server.";
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired.",
  CERT_NOT_YET_VALID: "it is not valid yet.",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name.",
  DEPTH_ZERO_SELF_SIGNED_CERT: `it is signed by itself. ${OWN_CA}`,
  SELF_SIGNED_CERT_IN_CHAIN: `nobody known has signed it. ${OWN_CA}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `nobody known has signed it. ${OWN_CA}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `nobody known has signed it, or its chain is not whole. ${OWN_CA}`,
};
