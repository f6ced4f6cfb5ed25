import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { readHello } from "./client-hello.ts";
import { parseHost, type Host } from "./host.ts";
import type { Refusal } from "./refusal.ts";

export type Tunnel = {
  readonly client: Duplex;
  readonly upstream: Socket;
  /** What the client sent already. */
  readonly head: Uint8Array;
  readonly host: Host;
};

/**
 * Passes bytes both ways until both sides have ended, or one breaks off, which breaks the other. A side that only ends
 * what it sends still gets what the other has to say. Each side is read no faster than the other takes it. A TLS client
 * that asks for another host than the tunnel leads to is cut off, with an alert that says so.
 */
export async function tunnel({ client, upstream, head, host }: Tunnel): Promise<Refusal | undefined> {
  upstream.pipe(client);
  try {
    const first = await opening(client, upstream, head);
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

/** What the client sends until it shows whether it speaks TLS and whom it asks for, or ends. Rejects when a side breaks. */
function opening(client: Duplex, upstream: Socket, head: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  let bytes = head;
  const take = (chunk: Uint8Array) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (readHello(bytes) !== "more") done();
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

/** A name is to be asked for by that name; an address by none, since certificates are chosen by name. */
function asksFor(host: Host, first: Uint8Array): boolean {
  const hello = readHello(first);
  if (hello === "other" || hello === "more") return first[0] !== 22;
  if (hello.name === undefined) return host.address;
  return !host.address && parseHost(hello.name)?.name === host.name;
}

const mismatch = ({ name }: Host): Refusal => ({
  code: "sni_mismatch",
  message: `The TLS connection asks for another host than ${name}.`,
});
