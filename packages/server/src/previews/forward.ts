import { type IncomingMessage, request as httpRequest, type ServerResponse, STATUS_CODES } from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { type PreviewSide, requestHeaders, responseHeaders } from "./preview-headers.ts";

/** Sends a request on to the port and its answer back. Rejects when there was no answer. */
export async function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  connection: Duplex,
  side: PreviewSide,
): Promise<void> {
  const answer = await ask(request, connection, side, { connection: "close" });
  response.writeHead(answer.statusCode ?? 502, responseHeaders(answer.headers, side));
  await new Promise<void>((resolve) => {
    pipeline(answer, response, () => {
      connection.destroy();
      resolve();
    });
  });
}

/** The same for a request that asks for another protocol (RFC 9110 §7.8), a WebSocket most of the time. */
export async function forwardUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  { connection, side }: { readonly connection: Duplex; readonly side: PreviewSide },
): Promise<void> {
  const upgrade = request.headers.upgrade ?? "";
  const answer = await ask(request, connection, side, { connection: "Upgrade", upgrade });
  const status = answer.statusCode ?? 502;
  const upgraded = status === 101;
  const headers = {
    ...responseHeaders(answer.headers, side),
    ...(upgraded ? { connection: "Upgrade", upgrade: answer.headers.upgrade ?? upgrade } : { connection: "close" }),
  };
  client.write(headOf(status, headers));
  if (!upgraded) {
    await finished((done) => pipeline(answer, client, done));
    connection.destroy();
    return;
  }
  if (head.length > 0) connection.write(head);
  await finished((done) => pipeline(client, connection, client, done));
  connection.destroy();
  client.destroy();
}

/** The answer's head. What came behind the head of an upgrade is still to be read from the connection. */
function ask(
  request: IncomingMessage,
  connection: Duplex,
  side: PreviewSide,
  more: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = httpRequest({
    // It needs no more of a socket than a stream has.
    createConnection: () => connection,
    method: request.method,
    path: request.url,
    headers: { ...requestHeaders(request.headers, side), ...more },
    setHost: false,
    maxHeaderSize: 64 * 1024,
  });
  outgoing.on("response", resolve);
  outgoing.on("upgrade", (answer, _socket, head) => {
    if (head.length > 0) connection.unshift(head);
    resolve(answer);
  });
  outgoing.on("error", reject);
  if ("upgrade" in more) outgoing.end();
  else pipeline(request, outgoing, (error) => error && reject(error));
  return promise;
}

function headOf(status: number, headers: ReturnType<typeof responseHeaders>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${String(one)}`),
  );
  return `${[`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines].join("\r\n")}\r\n\r\n`;
}

const finished = (start: (done: () => void) => unknown) => new Promise<void>((resolve) => void start(resolve));
