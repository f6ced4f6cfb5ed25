import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { finished } from "node:stream/promises";
import { dnsAnswer } from "./dns-answer.ts";
import { givenAddresses } from "./given-addresses.ts";
import { headOf } from "./head-of.ts";
import { proxiedLine } from "./proxied-line.ts";

const HTTP = 80;
const HTTPS = 443;

const DNS = { port: 53, address: "127.0.0.1" };

/** Opens a stream to the broker; undefined when there is no server. */
type OpenChannel = () => Duplex | undefined;

/**
 * A way to the broker for programs that know of no proxy: names become addresses of the loopback, and who connects to one
 * at the port of HTTP or HTTPS gets to the broker as by a proxy. Whether a name may be reached says the broker. Where
 * this process may not listen at low ports there is no such way, and no harm. The two ports are taken at the first name
 * only, so that programs that look up none can have them; `own` gets those that are.
 */
export function transparent(openChannel: OpenChannel, own: Set<number>): void {
  const given = givenAddresses();
  let ports: Promise<boolean> | undefined;
  const listen = async () => {
    for (const [port, way] of [
      [HTTP, plain],
      [HTTPS, secure],
    ] as const) {
      const onSocket = (socket: Socket) => pass(socket, given.nameOf(socket.localAddress ?? ""), openChannel, way);
      if (await listens(port, onSocket)) own.add(port);
    }
    return own.has(HTTP) || own.has(HTTPS);
  };
  const resolver = createSocket("udp4");
  resolver.on("error", () => undefined);
  resolver.on("message", (query, from) => {
    ports ??= listen();
    ports
      .then((open) => {
        const answer = dnsAnswer(query, (name) => (open ? given.addressOf(name) : undefined));
        if (answer !== undefined) resolver.send(answer, from.port, from.address);
      })
      .catch(() => undefined);
  });
  resolver.bind(DNS.port, DNS.address);
}

function listens(port: number, onSocket: (socket: Socket) => void): Promise<boolean> {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, onSocket);
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => resolve(true));
  });
}

/** Leads what a program sends to a host of this name into a channel; undefined when it cannot go there. */
type Way = (socket: Socket, name: string, open: OpenChannel) => Promise<Duplex | undefined>;

function pass(socket: Socket, name: string | undefined, open: OpenChannel, way: Way): void {
  socket.on("error", () => undefined);
  if (name === undefined) {
    socket.destroy();
    return;
  }
  way(socket, name, open)
    .then((channel) => (channel === undefined ? socket.destroy() : join(socket, channel)))
    .catch(() => socket.destroy());
}

function join(socket: Socket, channel: Duplex): void {
  pipeline(socket, channel, socket, () => {
    channel.destroy();
    socket.destroy();
  });
}

const plain: Way = async (socket, name, open) => {
  const line = proxiedLine(await headOf(socket, "\r\n"), name);
  const channel = line === undefined ? undefined : open();
  channel?.write(`${line}\r\n`);
  return channel;
};

const secure: Way = async (socket, name, open) => {
  const channel = open();
  if (channel === undefined) return undefined;
  socket.once("close", () => channel.destroy());
  const host = `${name}:${HTTPS}`;
  channel.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const head = await headOf(channel, "\r\n\r\n").catch(() => "");
  if (head.startsWith("HTTP/1.1 200 ")) return channel;
  channel.destroy();
  await refuse(socket);
  return undefined;
};

/** A fatal alert, in a record of TLS 1.2 as all versions take it at the start. Source: RFC 8446 §5.1 and §6 */
const ACCESS_DENIED = Buffer.from([21, 3, 3, 0, 2, 2, 49]);
const HEARD_WITHIN_MS = 2000;

/** Says to a TLS program that it was refused. What it sends is read until it goes: unread, it would end the alert too. */
async function refuse(socket: Socket): Promise<void> {
  socket.end(ACCESS_DENIED);
  socket.resume();
  await finished(socket, { signal: AbortSignal.timeout(HEARD_WITHIN_MS) }).catch(() => undefined);
}
