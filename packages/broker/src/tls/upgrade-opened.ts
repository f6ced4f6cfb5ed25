import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { finished } from "node:stream/promises";
import { endGently, endWith, type Refusal, refusalResponse } from "../refusal.ts";
import type { WithSecrets } from "../secrets/put-secrets.ts";
import { admit, type CarriedConnection, reporter } from "./admit-request.ts";
import { maskedAnswer, type MaskedAnswer, maskedBytes, type Masking, maskingOf } from "./masked-answer.ts";
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
  const masking = maskingOf(put, "GET");
  const { headers, ...options } = requestOptions(request, connection.target, put);
  const upgrading = [...extended(headers, put), "Connection", "Upgrade", "Upgrade", "websocket"];
  const outgoing = httpRequest({ ...options, headers: upgrading, agent: connection.agent ?? false });
  const unreadable = await carry({ client, head, masking, outgoing });
  finish({ rule, refusal: unreadable, secrets: put.names });
}

type Upgrading = {
  readonly client: Duplex;
  readonly head: Buffer;
  readonly masking: Masking;
  readonly outgoing: ClientRequest;
};

/** Gives the refusal when the answer could not be looked into. */
async function carry({ client, head, masking, outgoing }: Upgrading): Promise<Refusal | undefined> {
  const { masker } = masking;
  let unreadable: Refusal | undefined;
  const refuse = (by: Refusal) => {
    unreadable = by;
    outgoing.destroy();
    endWith(client, by);
  };
  outgoing.once("upgrade", (incoming, upstream, rest) => {
    const answer = maskedAnswer(incoming, masking);
    const compressed = masking.put && incoming.headers["sec-websocket-extensions"] !== undefined;
    if ("code" in answer || compressed) {
      upstream.destroy();
      refuse("code" in answer ? answer : COMPRESSED);
      return;
    }
    client.write(headText(answer, ["Connection", "Upgrade", "Upgrade", "websocket"]), "latin1");
    upstream.unshift(rest);
    upstream.write(head);
    client.pipe(upstream);
    const bytes = masker.longest === 0 ? upstream : upstream.pipe(maskedBytes(masker));
    bytes.pipe(client);
    bytes.once("close", () => endGently(client));
    upstream.on("error", () => client.destroy());
  });
  outgoing.once("response", (incoming) => {
    const answer = maskedAnswer(incoming, masking);
    if ("code" in answer) {
      refuse(answer);
      return;
    }
    client.write(headText(answer, ["Connection", "close"]), "latin1");
    pipeline([incoming, ...answer.through, client], (error) => error && client.destroy());
  });
  outgoing.on("error", () => unreadable ?? client.destroy());
  outgoing.end();
  await finished(client).catch(() => undefined);
  return unreadable;
}

const COMPRESSED: Refusal = {
  code: "answer_unreadable",
  message: "The host wants to compress the WebSocket's messages, which cannot be looked into then.",
};

/** Compressed messages could repeat a secret without anybody seeing it. Source: RFC 7692 */
function extended(headers: readonly string[], { known }: WithSecrets): readonly string[] {
  if (known.length === 0) return headers;
  return headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== "sec-websocket-extensions");
}

function headText({ incoming, reason, headers }: MaskedAnswer, own: readonly string[]): string {
  const all = [...headers, ...own];
  const lines = all.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ""}`] : []));
  return [`HTTP/1.1 ${incoming.statusCode ?? 502} ${reason}`, ...lines, "", ""].join("\r\n");
}
