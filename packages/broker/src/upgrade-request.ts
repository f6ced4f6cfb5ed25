import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { requestHeaders, responseHeaders } from "./forward-request.ts";
import type { Refusal } from "./refusal.ts";

const MAX_HEADER_BYTES = 16 * 1024;

export type Upgrade = {
  readonly request: IncomingMessage;
  readonly client: Duplex;
  /** What the client sent behind its request. */
  readonly head: Uint8Array;
  readonly url: URL;
  readonly upstream: Socket;
};

/** Whether a request asks to go on as a WebSocket (RFC 6455 4.1), the one protocol that is passed on. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}

/**
 * Passes on a request for a WebSocket, and then bytes both ways; or the answer, where the server does not agree. Gives
 * the refusal when there was none; rejects when a side broke off in the middle.
 */
export async function upgradeRequest({ request, client, head, url, upstream }: Upgrade): Promise<Refusal | undefined> {
  const outgoing = httpRequest({
    createConnection: () => upstream,
    method: "GET",
    path: `${url.pathname}${url.search}`,
    headers: [...requestHeaders(request, url).slice(0, -2), "Connection", "Upgrade", "Upgrade", "websocket"],
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  });
  outgoing.end();
  const answer = await answerOf(outgoing);
  if (answer === undefined) {
    return { code: "unreachable", message: `${url.hostname} closed the connection without an answer.` };
  }
  const { incoming, rest } = answer;
  client.write(headText(incoming, rest !== undefined), "latin1");
  if (rest === undefined) {
    await pipeline(incoming, client);
    return undefined;
  }
  client.write(rest);
  upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
  await Promise.allSettled([finished(client), finished(upstream)]);
  return undefined;
}

/** `rest` is what came behind the answer that agrees; undefined: the server does not agree. */
type UpgradeAnswer = { readonly incoming: IncomingMessage; readonly rest?: Uint8Array };

function answerOf(outgoing: ClientRequest): Promise<UpgradeAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<UpgradeAnswer | undefined>();
  outgoing.once("response", (incoming: IncomingMessage) => resolve({ incoming }));
  outgoing.once("upgrade", (incoming: IncomingMessage, _socket, rest: Buffer) => resolve({ incoming, rest }));
  outgoing.on("error", () => resolve(undefined));
  outgoing.once("close", () => resolve(undefined));
  return promise;
}

/** A body without a length ends with the connection. */
function headText(incoming: IncomingMessage, agreed: boolean): string {
  const kept = responseHeaders(incoming);
  const headers = agreed ? [...kept.slice(0, -2), "Connection", "Upgrade", "Upgrade", "websocket"] : kept;
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  return [`HTTP/1.1 ${incoming.statusCode ?? 502} ${incoming.statusMessage ?? ""}`, ...lines, "", ""].join("\r\n");
}
