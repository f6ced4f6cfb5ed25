import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Begun, ByteCount } from "../broker-record.ts";
import type { HeldSecret } from "../secrets/held-secret.ts";
import type { RequestHead } from "../secrets/matches-request.ts";
import type { Target } from "../host.ts";
import type { Refusal, RefusalCode } from "../refusal.ts";
import type { SandboxAuthority } from "./sandbox-authority.ts";
import { handshake } from "./handshake.ts";
import { serveRequests } from "./serve-requests.ts";
import { verifiedUpstream } from "./verified-upstream.ts";

/** How one host's TLS is opened for one sandbox. */
export type Opening = {
  readonly authority: SandboxAuthority;
  /** Those of the sandbox, as they are when it is opened. Ones for other hosts may be among them. */
  readonly secrets: readonly HeldSecret[];
  /** PEM; what the system trusts when absent. */
  readonly roots?: readonly string[] | undefined;
};

/** One request within an opened connection, once it is over. Bytes are those on the connection to the host. */
export type OpenedRecord = {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly rule: string | undefined;
  readonly reason: RefusalCode | undefined;
  /** Names of the secrets that were put in. */
  readonly secrets: readonly string[];
  readonly bytesUp: number;
  readonly bytesDown: number;
};

/** What a rule says of a request: which one allows it, or why none does. It may take as long as a person's answer. */
export type CheckRequest = (request: RequestHead) => Promise<{ readonly rule: string } | Refusal>;

/** One request within an opened connection, before it goes out. */
export type OpenedBeginning = Pick<OpenedRecord, "at" | "method" | "path" | "secrets"> & { readonly rule: string };

export type OpenedConnection = {
  /** The sandbox's end, where TLS begins with the next byte. */
  readonly client: Duplex;
  readonly upstream: Socket;
  readonly target: Target;
  readonly opening: Opening;
  /** Those of the sandbox at each request. */
  readonly secrets: () => Promise<readonly HeldSecret[]>;
  readonly check: CheckRequest;
  /** Writes a request down before it goes out; where that failed it does not go. */
  readonly begin: (request: OpenedBeginning, bytes: ByteCount) => Pick<Begun<OpenedRecord>, "end"> | Refusal;
  /** Writes down a request that never went out. */
  readonly report: (record: OpenedRecord) => void;
};

/**
 * Speaks TLS with a program in the sandbox as the host that it asked for, and carries each of its HTTP/1.1 requests over
 * one verified connection to that host, checked and with secrets put in. Settles when either side is gone
 * and all was reported, or with a refusal when the program does not take part; the caller ends both.
 */
export async function openTls(connection: OpenedConnection): Promise<Refusal | undefined> {
  const { client, target, opening } = connection;
  const [secure, upstream] = await Promise.all([
    clientHandshake(client, target, opening),
    verifiedUpstream(connection.upstream, target, opening.roots),
  ]);
  if (secure === undefined) return notBelieved(target);
  client.once("close", () => secure.destroy());
  const { check, begin, report, secrets } = connection;
  await serveRequests({ client: secure, target, check, begin, report, secrets, upstream, defaultPort: 443 });
  return undefined;
}

const notBelieved = ({ host }: Target): Refusal => ({
  code: "tls_failed",
  message: `The TLS handshake for ${host.name} failed. The program may not know the authority in SSL_CERT_FILE.`,
});

/** A handshake for another name than was asked for fails: it could be meant for another host behind the same address. */
async function clientHandshake(
  client: Duplex,
  { host }: Target,
  { authority }: Opening,
): Promise<TLSSocket | undefined> {
  const secure = new TLSSocket(client, {
    isServer: true,
    secureContext: authority.contextFor(host.name),
    ALPNProtocols: ["http/1.1"],
    SNICallback: (name, answer) => {
      const same = name.toLowerCase().replace(/\.$/, "") === host.name;
      answer(same ? null : new Error("another name was asked for"), authority.contextFor(host.name));
    },
  });
  try {
    await handshake(secure, "secure");
    return secure;
  } catch {
    return undefined;
  }
}
