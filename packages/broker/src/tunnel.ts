import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { firstBytes, readBeginning, watchLine } from "./first-bytes.ts";
import { parseHost, type Host, type Target } from "./host.ts";
import type { Refusal } from "./refusal.ts";

export type Tunnel = {
  readonly client: Duplex;
  readonly upstream: Socket;
  /** What the client sent already. */
  readonly head: Uint8Array;
  readonly target: Target;
  /** Carries plain HTTP, request by request. The client has its first bytes still to give. */
  readonly plain: () => Promise<void>;
};

/**
 * Passes bytes both ways until both sides have ended, or one breaks off, which breaks the other. A side that only ends
 * what it sends still gets what the other has to say. Each side is read no faster than the other takes it. A TLS client
 * that asks for another host than the tunnel leads to is cut off, with an alert that says so; plain HTTP/1 says in each
 * request whom it is for, and each is looked at. HTTP/2 without TLS is none of the web's and is refused on its ports.
 */
export async function tunnel({ client, upstream, head, target, plain }: Tunnel): Promise<Refusal | undefined> {
  const { host } = target;
  let late: Refusal | undefined;
  upstream.pipe(client);
  try {
    const first = await firstBytes(client, upstream, head);
    const beginning = readBeginning(first);
    if (beginning === "http2" && WEB_PORTS.includes(target.port)) return HIDDEN;
    if (beginning === "http") {
      upstream.unpipe(client);
      client.unshift(first);
      await plain();
      return undefined;
    }
    if (!asksFor(host, first)) {
      upstream.unpipe(client);
      await new Promise<void>((resolve) => client.end(UNRECOGNIZED_NAME, () => resolve()));
      return mismatch(host);
    }
    upstream.write(first);
    watchLine(client, first, () => {
      late = LATE_REQUEST;
      upstream.destroy();
    });
    if (client.readableEnded) upstream.end();
    else client.pipe(upstream);
    await Promise.all([finished(client), finished(upstream)]);
  } catch {
    // Who broke off does not matter: both are gone.
  } finally {
    client.destroy();
    upstream.destroy();
  }
  return late;
}

/** A fatal alert, in a record of TLS 1.2 as all versions take it at the start. Source: RFC 8446 §5.1 and §6 */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

/** A name is to be asked for by that name; an address by none, since certificates are chosen by name. */
function asksFor(host: Host, first: Uint8Array): boolean {
  const hello = readBeginning(first);
  if (typeof hello === "string") return first[0] !== 22;
  if (hello.name === undefined) return host.address;
  return !host.address && parseHost(hello.name)?.name === host.name;
}

const WEB_PORTS: readonly number[] = [80, 443];

const HIDDEN: Refusal = {
  code: "request_unseen",
  message: "HTTP/2 without TLS does not show which hosts its requests are for. Use HTTP/1.1, or TLS.",
};

const LATE_REQUEST: Refusal = { code: "request_invalid", message: "This is no valid HTTP request." };

const mismatch = ({ name }: Host): Refusal => ({
  code: "sni_mismatch",
  message: `The TLS connection asks for another host than ${name}.`,
});
