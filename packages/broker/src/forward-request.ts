import { request as httpRequest, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { forwardedHeaders } from "./forwarded-headers.ts";
import type { Refusal } from "./refusal.ts";

const MAX_HEADER_BYTES = 16 * 1024;

export type Forwarding = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly upstream: Socket;
};

/**
 * Sends the request over the connection and its response back. Redirects are the client's business.
 * Gives the refusal when there was no response; rejects when a side broke off in the middle.
 */
export async function forwardRequest(forwarding: Forwarding): Promise<Refusal | undefined> {
  const { request, response, url, upstream } = forwarding;
  const outgoing = httpRequest({
    createConnection: () => upstream,
    method: request.method,
    path: `${url.pathname}${url.search}`,
    headers: requestHeaders(request, url),
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  });
  // Not `pipeline`: a server may answer and close without reading the body, and the client must get that answer.
  request.pipe(outgoing);
  const incoming = await answerOf(outgoing);
  if (incoming === undefined) {
    request.resume();
    return { code: "unreachable", message: `${url.hostname} closed the connection without an answer.` };
  }
  response.sendDate = false;
  response.shouldKeepAlive = false;
  response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, responseHeaders(incoming));
  await pipeline(incoming, response);
  request.resume();
  return undefined;
}

/** RFC 9112 3.2.2: the host is that of the request's target, whatever its Host header says. */
export function requestHeaders(request: IncomingMessage, url: URL): string[] {
  const pairs = forwardedHeaders(request.rawHeaders);
  const kept = pairs.filter((_, index) => pairs[index - (index % 2)]?.toLowerCase() !== "host");
  const headers = ["Host", url.host, ...kept];
  if (request.headers["transfer-encoding"] !== undefined) headers.push("Transfer-Encoding", "chunked");
  else if (request.headers["content-length"] === undefined && !BODYLESS.has(request.method ?? "")) {
    headers.push("Content-Length", "0");
  }
  // A server that is told to close may do so while a body is still on its way, and its answer would be lost.
  return [...headers, "Connection", "keep-alive"];
}

const BODYLESS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/** Those of an answer, which ends the connection. */
export const responseHeaders = (incoming: IncomingMessage) => [
  ...forwardedHeaders(incoming.rawHeaders),
  "Connection",
  "close",
];

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>();
  outgoing.once("response", resolve);
  outgoing.on("error", () => resolve(undefined));
  outgoing.once("close", () => resolve(undefined));
  return promise;
}
