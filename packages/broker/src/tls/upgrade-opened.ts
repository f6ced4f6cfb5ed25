import { type IncomingMessage, request as httpRequest } from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { finished } from "node:stream/promises";
import { secretMasker, type SecretMasker } from "@handrail/core/secrets/secret-masker";
import { forwardedHeaders } from "../forwarded-headers.ts";
import { endGently, refusalResponse } from "../refusal.ts";
import type { WithSecrets } from "../secrets/put-secrets.ts";
import { admit, type CarriedConnection, reporter } from "./admit-request.ts";
import { maskedBody, maskedBytes, maskedHeaders } from "./masked-answer.ts";
import { requestOptions } from "./request-options.ts";

/** Passes on a request for a WebSocket; after that bytes go both ways, secrets masked in what comes back. */
export async function upgradeOpened(
  connection: CarriedConnection,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  const { begin, finish } = reporter(connection, request);
  const admitted = await admit(connection, request);
  const refusal = "code" in admitted ? admitted : begin(admitted);
  if ("code" in admitted || refusal !== undefined) {
    finish({ refusal });
    client.end(refusal && refusalResponse(refusal));
    return;
  }
  const { put, rule } = admitted;
  const masker = secretMasker(put.secrets);
  const { headers, ...options } = requestOptions(request, connection.target, put);
  const upgrading = [...extended(headers, put), "Connection", "Upgrade", "Upgrade", "websocket"];
  const outgoing = httpRequest({ ...options, headers: upgrading, agent: connection.agent ?? false });
  outgoing.once("upgrade", (incoming, upstream, rest) => {
    client.write(headText(incoming, ["Connection", "Upgrade", "Upgrade", "websocket"], masker));
    upstream.unshift(rest);
    upstream.write(head);
    client.pipe(upstream);
    const answer = masker.longest === 0 ? upstream : upstream.pipe(maskedBytes(masker));
    answer.pipe(client);
    answer.once("close", () => endGently(client));
    upstream.on("error", () => client.destroy());
  });
  outgoing.once("response", (incoming) => {
    client.write(headText(incoming, ["Connection", "close"], masker));
    pipeline([incoming, ...maskedBody(incoming, masker), client], (error) => error && client.destroy());
  });
  outgoing.on("error", () => client.destroy());
  outgoing.end();
  await finished(client).catch(() => undefined);
  finish({ rule, secrets: put.names });
}

/** Compressed messages could repeat a secret without anybody seeing it. Source: RFC 7692 */
function extended(headers: readonly string[], { secrets }: WithSecrets): readonly string[] {
  if (secrets.length === 0) return headers;
  return headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== "sec-websocket-extensions");
}

function headText(incoming: IncomingMessage, own: readonly string[], masker: SecretMasker): string {
  const headers = [...maskedHeaders(forwardedHeaders(incoming.rawHeaders), masker), ...own];
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  const reason = masker.text(incoming.statusMessage ?? "");
  return [`HTTP/1.1 ${incoming.statusCode ?? 502} ${reason}`, ...lines, "", ""].join("\r\n");
}
