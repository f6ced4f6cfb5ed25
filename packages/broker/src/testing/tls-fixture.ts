import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type RequestOptions, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import { afterEach } from "vitest";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { newAuthority, newLeaf } from "../tls/certificate.ts";
import { type CheckRequest, openTls, type OpenedRecord, type Opening } from "../tls/open-tls.ts";
import { sandboxAuthority } from "../tls/sandbox-authority.ts";

const HOUR_MS = 3_600_000;
const NAME = "Test authority";

/** An authority that test servers have their certificates from. */
export function testAuthority() {
  const life = { from: Date.now() - HOUR_MS, to: Date.now() + HOUR_MS };
  const authority = newAuthority(NAME, life);
  return {
    certificate: authority.certificate,
    /** What a server for this name is made with. */
    serverFor(host: string, of = life) {
      const leaf = newLeaf(authority, NAME, host, of);
      return { cert: leaf.certificate, key: leaf.key.export({ format: "pem", type: "pkcs8" }) };
    },
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A real HTTPS server on loopback as `host`. The caller closes it. */
export async function testHttps(host: string, listener: Listener, options: object = {}) {
  const authority = testAuthority();
  const server: Server = createServer({ ...authority.serverFor(host), ...options }, (request, response) => {
    Promise.resolve(listener(request, response)).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port, roots: [authority.certificate] };
}

type Upstream = { readonly port: number; readonly roots: readonly string[] };

/** Allows everything. */
export const anything: CheckRequest = async () => ({ rule: "host test" });

/** A client in a sandbox, connected to the host through opened TLS, and what was reported. */
export function testOpened(host: string, upstream: Upstream, secrets: readonly HeldSecret[], check = anything) {
  const records: OpenedRecord[] = [];
  const authority = sandboxAuthority();
  const opening: Opening = { authority, secrets, roots: upstream.roots };
  const [ours, theirs] = duplexPair();
  const socket = connectTcp(upstream.port, "127.0.0.1");
  const target = { host: { name: host, address: false }, port: 443 };
  const over = openTls({
    client: theirs,
    upstream: socket,
    target,
    opening,
    secrets: async () => secrets,
    check,
    begin: () => ({ end: (record) => records.push(record) }),
    report: (record) => records.push(record),
  }).finally(() => socket.destroy());
  const secure = (servername = host): TLSSocket =>
    connect({ socket: ours, servername, ca: [authority.certificate], ALPNProtocols: ["http/1.1"] });
  return { records, secure, over, raw: ours };
}

/** One request over a connection, and its answer whole. */
export async function ask(socket: Duplex, options: RequestOptions, body?: Buffer | string) {
  const asking = httpRequest({ ...options, createConnection: () => socket });
  asking.end(body);
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  return {
    status: answer.statusCode,
    reason: answer.statusMessage,
    headers: answer.headers,
    body: await buffer(answer),
  };
}

/** What is put into it is called at the end of the test. A file of tests calls this once. */
export function closedAfterEach(): (() => void)[] {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });
  return closing;
}
