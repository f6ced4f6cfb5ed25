import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { HeldSecret } from "../secrets/held-secret.ts";
import type { RequestHead } from "../secrets/matches-request.ts";
import type { Target } from "../host.ts";
import type { Refusal, RefusalCode } from "../refusal.ts";
import { asksForWebSocket } from "../upgrade-request.ts";
import { carryOpened } from "./opened-request.ts";
import type { SandboxAuthority } from "./sandbox-authority.ts";
import { upgradeOpened } from "./upgrade-opened.ts";
import { verifiedUpstream } from "./verified-upstream.ts";

/** How one host's TLS is opened for one sandbox. */
export type Opening = {
  readonly authority: SandboxAuthority;
  /** Those of the sandbox, as they are now. Ones for other hosts may be among them. */
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

export type OpenedConnection = {
  /** The sandbox's end, where TLS begins with the next byte. */
  readonly client: Duplex;
  readonly upstream: Socket;
  readonly target: Target;
  readonly opening: Opening;
  readonly check: CheckRequest;
  readonly report: (record: OpenedRecord) => void;
};

const HANDSHAKE_MS = 15_000;

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
  const carried = { ...connection, upstream, agent: agentFor(upstream) };
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: 32 * 1024,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    // Another protocol, h2c above all, would carry requests that nobody sees.
    shouldUpgradeCallback: asksForWebSocket,
  });
  const under = new Set<Promise<void>>();
  const track = (work: Promise<void>) => {
    const done = work.catch(() => void secure.destroy()).finally(() => under.delete(done));
    under.add(done);
  };
  const carry = (request: IncomingMessage, response: ServerResponse) => track(carryOpened(carried, request, response));
  server.on("request", carry).on("checkContinue", carry).on("checkExpectation", carry);
  server.on("upgrade", (request, _socket, head) => {
    track(upgradeOpened(carried, request, secure, head));
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  if (upstream instanceof TLSSocket) upstream.once("close", () => secure.destroySoon());
  client.once("close", () => secure.destroy());
  // TLS has no half-closed connections that HTTP would use; the stream below it may have.
  secure.once("end", () => secure.destroySoon());
  server.emit("connection", secure);
  await over(client, secure);
  secure.destroySoon();
  if (upstream instanceof TLSSocket) upstream.destroy();
  await Promise.all(under);
  return undefined;
}

const notBelieved = ({ host }: Target): Refusal => ({
  code: "tls_failed",
  message: `The TLS handshake for ${host.name} failed. The program may not know the authority in SSL_CERT_FILE.`,
});

/** HTTP has no use for half-closed connections: who ends is gone. */
function over(client: Duplex, secure: TLSSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  client.once("close", resolve);
  secure.once("end", resolve).once("close", resolve);
  return promise;
}

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
  secure.on("error", () => undefined);
  try {
    await once(secure, "secure", { signal: AbortSignal.timeout(HANDSHAKE_MS) });
    return secure;
  } catch {
    return undefined;
  }
}

/** One connection for all requests, one after the other; there is no second one. */
function agentFor(upstream: TLSSocket | Refusal): Agent | undefined {
  if (!(upstream instanceof TLSSocket)) return undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  let used = false;
  agent.createConnection = () => {
    if (used || upstream.destroyed) throw new Error("the connection to the host is used up");
    used = true;
    return upstream;
  };
  return agent;
}
