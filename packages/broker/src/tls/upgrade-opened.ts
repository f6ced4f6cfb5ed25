import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { forwardedHeaders } from "../forwarded-headers.ts";
import { refusalResponse } from "../refusal.ts";
import { admit, type CarriedConnection, reporter } from "./admit-request.ts";
import { requestOptions } from "./request-options.ts";

/** Passes on a request to change the protocol, a WebSocket's; after that bytes go both ways unread. */
export async function upgradeOpened(
  connection: CarriedConnection,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  const finish = reporter(connection, request);
  const admitted = await admit(connection, request);
  if ("code" in admitted) {
    finish({ refusal: admitted });
    client.end(refusalResponse(admitted));
    return;
  }
  const { put, rule } = admitted;
  const { headers, ...options } = requestOptions(request, connection.target, put);
  const upgrading = [...headers, "Connection", "Upgrade", "Upgrade", request.headers.upgrade ?? ""];
  const outgoing = httpRequest({ ...options, headers: upgrading, agent: connection.agent ?? false });
  outgoing.once("upgrade", (incoming, upstream, rest) => {
    client.write(headText(incoming, ["Connection", "Upgrade", "Upgrade", incoming.headers.upgrade ?? ""]));
    client.write(rest);
    upstream.write(head);
    client.pipe(upstream).pipe(client);
    upstream.on("error", () => client.destroy());
  });
  outgoing.once("response", (incoming) => {
    client.write(headText(incoming, ["Connection", "close"]));
    incoming.pipe(client);
  });
  outgoing.on("error", () => client.destroy());
  outgoing.end();
  await finished(client).catch(() => undefined);
  finish({ rule, secrets: put.names });
}

function headText(incoming: IncomingMessage, own: readonly string[]): string {
  const headers = [...forwardedHeaders(incoming.rawHeaders), ...own];
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  return [`HTTP/1.1 ${incoming.statusCode ?? 502} ${incoming.statusMessage ?? ""}`, ...lines, "", ""].join("\r\n");
}
