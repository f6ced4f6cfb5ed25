import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Hello, readHello } from "./client-hello.ts";

/** What a client begins with: TLS, the line of an HTTP/1 request, or something else. `more`: too few bytes to tell. */
export type Beginning = "more" | "http" | "other" | Exclude<Hello, string>;

/** Never throws. */
export function readBeginning(bytes: Uint8Array): Beginning {
  const hello = readHello(bytes);
  return hello === "other" ? readLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) : hello;
}

const MAX_LINE = 32 * 1024;

/**
 * Lenient, as servers are (RFC 9112 2.2, 3): what one of them may take for a request is one, and is parsed strictly later.
 * Methods are in capitals; HTTP/2 without TLS is another protocol.
 */
function readLine(bytes: Buffer): Beginning {
  const text = bytes.toString("latin1", 0, MAX_LINE).replace(/^[\r\n]+/, "");
  const [line = ""] = text.split("\n", 1);
  if (!/^[A-Z_-]*(?:$|\s)/.test(line) || line.includes("\0")) return "other";
  if (line.length < text.length) return /\sHTTP\/[01]/i.test(line) ? "http" : "other";
  return bytes.length < MAX_LINE ? "more" : "http";
}

/** What the client sends until it shows what it speaks, or ends. Rejects when a side breaks. */
export function firstBytes(client: Duplex, upstream: Socket, head: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  let bytes = head;
  const take = (chunk: Uint8Array) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (readBeginning(bytes) !== "more") done();
  };
  const done = () => {
    client.pause();
    leave();
    resolve(bytes);
  };
  const gone = () => {
    leave();
    reject(new Error("A side has gone."));
  };
  const leave = () => {
    client.off("data", take).off("end", done).off("close", gone);
    upstream.off("close", gone);
  };
  client.on("data", take).once("end", done).once("close", gone).resume();
  upstream.once("close", gone);
  if (client.destroyed || upstream.destroyed) gone();
  else if (client.readableEnded) done();
  else take(new Uint8Array());
  return promise;
}
