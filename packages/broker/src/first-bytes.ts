import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Hello, helloReader, isHandshake } from "./client-hello.ts";
import { JoinedBytes } from "./joined-bytes.ts";

/**
 * What a client begins with: TLS, the line of an HTTP/1 request, that of HTTP/2, or something else. `more`: too few bytes to
 * tell. `line`: the beginning of a line that may become a request, though hardly.
 */
export type Beginning = "more" | "http" | "http2" | "line" | "other" | Exclude<Hello, string>;

/** Never throws. */
export function readBeginning(bytes: Uint8Array): Beginning {
  return beginningReader()(bytes);
}

/** The same of bytes that come in pieces, for as long as more of them can tell. Each byte is looked at once. */
function beginningReader(): (piece: Uint8Array) => Beginning {
  let read: ((piece: Uint8Array) => Beginning) | undefined;
  return (piece) => {
    if (read === undefined && piece.length === 0) return "more";
    read ??= isHandshake(piece) ? helloReader() : lineReader();
    return read(piece);
  };
}

const MAX_LINE = 32 * 1024;

function lineReader(): (piece: Uint8Array) => Beginning {
  const line = new Line();
  return (piece) => line.take(piece);
}

/**
 * Lenient, as servers are (RFC 9112 2.2, 3): what one of them may take for a request is one, and is parsed strictly later.
 * Methods are any token (RFC 9110 9.1). Those that are in use are in capitals: others are not waited for, since what speaks
 * first and has no lines would wait too.
 */
class Line {
  #bytes = 0;
  #text = "";
  #method: "capitals" | "other" = "capitals";
  #hasMethod = false;

  take(piece: Uint8Array): Beginning {
    const text = Buffer.from(piece.subarray(0, Math.max(0, MAX_LINE - this.#bytes))).toString("latin1");
    this.#bytes += piece.length;
    const begun = this.#text === "" ? text.replace(/^[\r\n]+/, "") : text;
    const [more = ""] = begun.split(/[\r\n]/, 1);
    if (more.includes("\0") || !this.#mayHave(more)) return "other";
    this.#text += more;
    if (more.length < begun.length) return /\sHTTP\/[01]/i.test(this.#text) ? "http" : isHttp2(this.#text);
    if (this.#method === "other") return this.#bytes < MAX_LINE ? "line" : "other";
    return this.#bytes < MAX_LINE ? "more" : "http";
  }

  /** Whether the line can go on so: its method, or behind that. */
  #mayHave(more: string): boolean {
    if (this.#hasMethod) return true;
    const [method = ""] = /^[\w!#$%&'*+.^`|~-]*/.exec(more) ?? [];
    if (!/^[A-Z_-]*$/.test(method)) this.#method = "other";
    this.#hasMethod = method.length < more.length;
    return !this.#hasMethod || /\s/.test(more.charAt(method.length));
  }
}

/** Its preface (RFC 9113 3.4). */
const isHttp2 = (line: string) => (line.startsWith("PRI * HTTP/2") ? "http2" : "other");

/** Calls `cut` before a stream gives the end of a line that makes a request of what it began with. */
export function watchLine(client: Duplex, first: Uint8Array, cut: () => void): void {
  const read = beginningReader();
  const look = (chunk: Uint8Array) => {
    const beginning = read(chunk);
    if (beginning === "line") return;
    client.off("data", look);
    if (beginning === "http") cut();
  };
  if (read(first) === "line") client.on("data", look);
}

/** What the client sends until it shows what it speaks, or ends. Rejects when a side breaks. */
export function firstBytes(client: Duplex, upstream: Socket, head: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const bytes = new JoinedBytes();
  bytes.add(head);
  const read = beginningReader();
  const take = (chunk: Uint8Array) => {
    bytes.add(chunk);
    if (read(chunk) !== "more") done();
  };
  const done = () => {
    client.pause();
    leave();
    resolve(bytes.all());
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
  else if (read(head) !== "more") done();
  return promise;
}
