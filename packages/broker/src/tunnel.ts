import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { firstBytes, readBeginning } from "./first-bytes.ts";
import { parseHost, type Host } from "./host.ts";
import type { Refusal } from "./refusal.ts";

export type Tunnel = {
  readonly client: Duplex;
  readonly upstream: Socket;
  /** What the client sent already. */
  readonly head: Uint8Array;
  readonly host: Host;
  /** Carries plain HTTP, request by request. The client has its first bytes still to give. */
  readonly plain: () => Promise<void>;
};

/**
 * Passes bytes both ways until both sides have ended, or one breaks off, which breaks the other. A side that only ends
 * what it sends still gets what the other has to say. Each side is read no faster than the other takes it. A TLS client
 * that asks for another host than the tunnel leads to is cut off, with an alert that says so; plain HTTP says in each
 * request whom it is for, and each is looked at.
 */
export async function tunnel({ client, upstream, head, host, plain }: Tunnel): Promise<Refusal | undefined> {
  upstream.pipe(client);
  try {
    const first = await firstBytes(client, upstream, head);
    if (readBeginning(first) === "http") {
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
    if (client.readableEnded) upstream.end();
    else client.pipe(upstream);
    await Promise.all([finished(client), finished(upstream)]);
  } catch {
    // Who broke off does not matter: both are gone.
  } finally {
    client.destroy();
    upstream.destroy();
  }
  return undefined;
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

const mismatch = ({ name }: Host): Refusal => ({
  code: "sni_mismatch",
  message: `The TLS connection asks for another host than ${name}.`,
});
