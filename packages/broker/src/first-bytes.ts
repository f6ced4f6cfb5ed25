import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Hello, readHello } from "./client-hello.ts";

/**
 * What a client begins with: TLS, the line of an HTTP/1 request, that of HTTP/2, or something else. `more`: too few bytes to
 * tell. `line`: the beginning of a line that may become a request, though hardly.
 */
export type Beginning = "more" | "http" | "http2" | "line" | "other" | Exclude<Hello, string>;

/** Never throws. */
export function readBeginning(bytes: Uint8Array): Beginning {
  const hello = readHello(bytes);
  return hello === "other" ? readLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) : hello;
}

const MAX_LINE = 32 * 1024;

/**
 * Lenient, as servers are (RFC 9112 2.2, 3): what one of them may take for a request is one, and is parsed strictly later.
 * Methods are any token (RFC 9110 9.1). Those that are in use are in capitals: others are not waited for, since what speaks
 * first and has no lines would wait too.
 */
function readLine(bytes: Buffer): Beginning {
  const text = bytes.toString("latin1", 0, MAX_LINE).replace(/^[\r\n]+/, "");
  const [line = ""] = text.split(/[\r\n]/, 1);
  if (!/^[\w!#$%&'*+.^`|~-]*(?:$|\s)/.test(line) || line.includes("\0")) return "other";
  if (line.length < text.length) return /\sHTTP\/[01]/i.test(line) ? "http" : isHttp2(line);
  if (!/^[A-Z_-]*(?:$|\s)/.test(line)) return bytes.length < MAX_LINE ? "line" : "other";
  return bytes.length < MAX_LINE ? "more" : "http";
}

/** Its preface (RFC 9113 3.4). */
const isHttp2 = (line: string) => (line.startsWith("PRI * HTTP/2") ? "http2" : "other");

/** Calls `cut` before a stream gives the end of a line that makes a request of what it began with. */
export function watchLine(client: Duplex, first: Uint8Array, cut: () => void): void {
  let bytes = first;
  const look = (chunk: Uint8Array) => {
    bytes = Buffer.concat([bytes, chunk]);
    const beginning = readBeginning(bytes);
    if (beginning === "line") return;
    client.off("data", look);
    if (beginning === "http") cut();
  };
  if (readBeginning(bytes) === "line") client.on("data", look);
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
