import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { carryRequest, type Asked, type Carrying, type CarrySettings } from "./carry-request.ts";
import { forwardRequest } from "./forward-request.ts";
import { parseTarget, type Target } from "./host.ts";
import { endGently, endWith, type Refusal } from "./refusal.ts";
import { socksReply, type SocksRequest } from "./socks5.ts";
import { firstBytes, readBeginning } from "./first-bytes.ts";
import { isDisguised } from "./is-disguised.ts";
import { openTls } from "./tls/open-tls.ts";
import type { Seen } from "./tls/opened-requests.ts";
import { serveRequests } from "./tls/serve-requests.ts";
import { tunnel } from "./tunnel.ts";
import { upgradeRequest } from "./upgrade-request.ts";

/** Whose connection it is. */
export type BrokerOrigin = { readonly conversationId: string };

export type ConnectionSettings = CarrySettings & { readonly headMs: number };

/** One connection from a sandbox, which carries one request. Each way of using it ends it and reports it, once. */
export type BrokerConnection = {
  connect(request: IncomingMessage, head: Uint8Array): void;
  forward(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, head: Uint8Array): void;
  socks(request: SocksRequest): void;
  refuseGarbage(): void;
};

/** Waits for a request on the stream, for a limited time. */
export function brokerConnection(origin: BrokerOrigin, stream: Duplex, settings: ConnectionSettings): BrokerConnection {
  const { conversationId } = origin;
  let used = false;
  /** Only the first request is served: the next one could have been smuggled in behind it. */
  const serve = (asked: Asked, pass: Carrying["pass"], more: Partial<Carrying> = {}) => {
    clearTimeout(timer);
    if (used) {
      stream.destroy();
      return;
    }
    used = true;
    const refuse = (refusal: Refusal) => endWith(stream, refusal);
    const end = () => endGently(stream);
    carryRequest({ conversationId, stream, settings, asked, pass, refuse, end, ...more }).catch(() => stream.destroy());
  };
  const refuse = (refusal: Refusal) => serve({ method: "", host: "", target: refusal }, async () => undefined);
  const timer = setTimeout(() => refuse(LATE), settings.headMs);
  stream.once("close", () => clearTimeout(timer));

  return {
    refuseGarbage: () => refuse(INVALID),
    connect(request, head) {
      const target = parseTarget(request.url ?? "") ?? NO_HOST;
      const { pass, open } = tunnelled(stream, ESTABLISHED, head);
      serve(askedFor(request, target), pass, { open, unread: true });
    },
    forward(request, response) {
      const { url, asked } = plainRequest(request);
      serve(asked, async (upstream) => url && forwardRequest({ request, response, url, upstream }));
    },
    upgrade(request, head) {
      const { url, asked } = plainRequest(request);
      const pass = async (upstream: Socket) => url && upgradeRequest({ request, client: stream, head, url, upstream });
      serve(asked, pass, { unread: true });
    },
    socks({ host, target, head }) {
      const asked = { method: "SOCKS", host, target };
      const { pass, open } = tunnelled(stream, socksReply(), head);
      serve(asked, pass, {
        open,
        unread: true,
        refuse(refusal) {
          if (stream.writable) stream.write(socksReply(refusal));
          endGently(stream);
        },
      });
    },
  };
}

/**
 * Bytes both ways, once the client was told that the connection is made; or requests, where they are plain or their TLS is
 * opened. Secrets are for HTTPS alone.
 */
function tunnelled(stream: Duplex, made: string | Uint8Array, head: Uint8Array) {
  const plain = (upstream: Socket, target: Target, seen: Seen) =>
    serveRequests({ client: stream, upstream, target, ...seen, secrets: async () => [], defaultPort: 80 });
  const pass: Carrying["pass"] = (upstream, target, seen) => {
    stream.write(made);
    return tunnel({ client: stream, upstream, head, target, plain: () => plain(upstream, target, seen) });
  };
  const open: NonNullable<Carrying["open"]> = async (upstream, target, { seen, opening }) => {
    stream.write(made);
    const first = await firstBytes(stream, upstream, head);
    stream.unshift(first);
    if (readBeginning(first) !== "http") return openTls({ client: stream, upstream, target, ...seen, opening });
    await plain(upstream, target, seen);
    return undefined;
  };
  return { pass, open };
}

/** A request in the absolute form (RFC 9112 3.2.2); without a URL it is refused. Its Host header must say the same. */
function plainRequest(request: IncomingMessage): { readonly url: URL | undefined; readonly asked: Asked } {
  const url = plainUrl(request.url ?? "");
  if (url === undefined) return { url, asked: askedFor(request, NO_PROXY_FORM) };
  const target = parseTarget(url.host, 80) ?? NO_HOST;
  const agreed = "code" in target || saysHost(request.headers.host, target);
  return {
    url,
    asked: {
      ...askedFor(request, agreed ? target : HOST_MISMATCH),
      path: url.pathname,
      disguised: isDisguised(request.headers),
    },
  };
}

/** An absent Host header says nothing else. */
function saysHost(header: string | undefined, { host, port }: Target): boolean {
  if (header === undefined) return true;
  const said = parseTarget(header, 80);
  return said?.host.name === host.name && said.port === port;
}

/** What cannot be parsed is reported as it was written. */
function askedFor(request: IncomingMessage, target: Target | Refusal): Asked {
  return { method: request.method ?? "", host: request.url ?? "", target };
}

function plainUrl(text: string): URL | undefined {
  if (!/^http:\/\//i.test(text)) return undefined;
  const url = URL.parse(text);
  return url === null || url.username !== "" || url.password !== "" ? undefined : url;
}

const ESTABLISHED = "HTTP/1.1 200 Connection Established\r\n\r\n";

const LATE: Refusal = { code: "timed_out", message: "No whole request came in time." };
const INVALID: Refusal = { code: "request_invalid", message: "This is no valid HTTP request." };
const NO_HOST: Refusal = { code: "host_invalid", message: "The request names no valid host and port." };
const HOST_MISMATCH: Refusal = {
  code: "host_mismatch",
  message: "The Host header names another host than the address of the request.",
};
const NO_PROXY_FORM: Refusal = {
  code: "request_invalid",
  message: "This is a proxy. Send CONNECT host:port, or a request with a whole http:// address.",
};
