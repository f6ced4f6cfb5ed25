import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { NetworkRule } from "@handrail/protocol/sources";
import { forwardRequest } from "./forward-request.ts";
import { parseTarget, type Target } from "./host.ts";
import { openUpstream, type UpstreamSettings } from "./open-upstream.ts";
import { endGently, endWith, type Refusal, type RefusalCode } from "./refusal.ts";
import { tunnel } from "./tunnel.ts";

/** Whose connection it is and what it may reach. `extraHosts` are allowed beside the rule's, unless that is `none`. */
export type BrokerOrigin = {
  readonly conversationId: string;
  readonly network: NetworkRule;
  readonly extraHosts?: readonly string[];
};

/** One request, once it is over. `host` is what was asked for, normalised where it could be. Bytes are those dialled. */
export type BrokerRecord = {
  readonly conversationId: string;
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly allowed: boolean;
  readonly reason: RefusalCode | undefined;
  readonly bytesUp: number;
  readonly bytesDown: number;
};

export type ConnectionSettings = UpstreamSettings & {
  readonly onRequest: (record: BrokerRecord) => void;
  readonly headMs: number;
  readonly idleMs: number;
};

/** One connection from a sandbox, which carries one request. Each way of using it ends it and reports it, once. */
export type BrokerConnection = {
  readonly conversationId: string;
  connect(request: IncomingMessage, head: Uint8Array): void;
  forward(request: IncomingMessage, response: ServerResponse): void;
  refuseGarbage(): void;
};

/** Waits for a request on the stream, for a limited time. */
export function brokerConnection(origin: BrokerOrigin, stream: Duplex, settings: ConnectionSettings): BrokerConnection {
  let used = false;
  /** Only the first request is served: the next one could have been smuggled in behind it. */
  const serve = (asked: Asked, pass: Pass) => {
    clearTimeout(timer);
    if (used) {
      stream.destroy();
      return;
    }
    used = true;
    carry({ origin, stream, settings, asked, pass }).then(
      (outcome) => finish(stream, outcome, (bytes) => settings.onRequest(recordOf(origin, asked, outcome, bytes))),
      () => stream.destroy(),
    );
  };
  const refuse = (refusal: Refusal) => serve({ method: "", host: "", target: refusal }, async () => undefined);
  const timer = setTimeout(() => refuse(LATE), settings.headMs);
  stream.once("close", () => clearTimeout(timer));

  return {
    conversationId: origin.conversationId,
    refuseGarbage: () => refuse(INVALID),
    connect(request, head) {
      const target = parseTarget(request.url ?? "") ?? NO_HOST;
      serve(askedFor(request, target), async (upstream) => {
        stream.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        await tunnel(stream, upstream, head);
        return undefined;
      });
    },
    forward(request, response) {
      const url = plainUrl(request.url ?? "");
      const target = url === undefined ? NO_PROXY_FORM : (parseTarget(url.host, 80) ?? NO_HOST);
      serve(askedFor(request, target), async (upstream) =>
        url === undefined ? NO_PROXY_FORM : forwardRequest({ request, response, url, upstream }),
      );
    },
  };
}

type Asked = { readonly method: string; readonly host: string; readonly target: Target | Refusal };
type Pass = (upstream: Socket) => Promise<Refusal | undefined>;
type Bytes = { readonly bytesUp: number; readonly bytesDown: number };

/** `broken`: a side went away in the middle, and the other must not take what it got for the whole. */
type Outcome = { readonly refusal?: Refusal | undefined; readonly upstream?: Socket; readonly broken?: boolean };

type Work = {
  readonly origin: BrokerOrigin;
  readonly stream: Duplex;
  readonly settings: ConnectionSettings;
  readonly asked: Asked;
  readonly pass: Pass;
};

async function carry({ origin, stream, settings, asked, pass }: Work): Promise<Outcome> {
  if ("code" in asked.target) return { refusal: asked.target };
  const upstream = await openUpstream(origin, asked.target, settings);
  if ("code" in upstream) return { refusal: upstream };
  upstream.on("error", () => undefined);
  upstream.setTimeout(settings.idleMs, () => stream.destroy());
  stream.once("close", () => upstream.destroy());
  if (stream.destroyed) return { upstream, broken: true };
  try {
    return { refusal: await pass(upstream), upstream };
  } catch {
    return { upstream, broken: true };
  }
}

function finish(stream: Duplex, { refusal, upstream, broken }: Outcome, report: (bytes: Bytes) => void): void {
  if (broken === true) stream.destroy();
  else if (refusal === undefined) endGently(stream);
  else endWith(stream, refusal);
  upstream?.destroy();
  report({ bytesUp: upstream?.bytesWritten ?? 0, bytesDown: upstream?.bytesRead ?? 0 });
}

function recordOf(origin: BrokerOrigin, asked: Asked, outcome: Outcome, bytes: Bytes): BrokerRecord {
  const { conversationId } = origin;
  const { target, method } = asked;
  const place = "code" in target ? { host: asked.host, port: 0 } : { host: target.host.name, port: target.port };
  return {
    conversationId,
    method,
    ...place,
    allowed: outcome.upstream !== undefined,
    reason: outcome.refusal?.code,
    ...bytes,
  };
}

/** What cannot be parsed is reported as it was written, cut short. */
function askedFor(request: IncomingMessage, target: Target | Refusal): Asked {
  return { method: request.method ?? "", host: (request.url ?? "").slice(0, 256), target };
}

/** The absolute form of a request's target (RFC 9112 3.2.2), for plain HTTP. */
function plainUrl(text: string): URL | undefined {
  if (!/^http:\/\//i.test(text)) return undefined;
  const url = URL.parse(text);
  return url === null || url.username !== "" || url.password !== "" ? undefined : url;
}

const LATE: Refusal = { code: "timed_out", message: "No whole request came in time." };
const INVALID: Refusal = { code: "request_invalid", message: "This is no valid HTTP request." };
const NO_HOST: Refusal = { code: "host_invalid", message: "The request names no valid host and port." };
const NO_PROXY_FORM: Refusal = {
  code: "request_invalid",
  message: "This is a proxy. Send CONNECT host:port, or a request with a whole http:// address.",
};
