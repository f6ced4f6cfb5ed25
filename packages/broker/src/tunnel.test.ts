import { once } from "node:events";
import { connect as tlsConnect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { readHello } from "./client-hello.ts";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

/** The first bytes that a real TLS client sends for a name. */
async function helloFor(servername: string): Promise<Buffer> {
  const got = Promise.withResolvers<Buffer>();
  const port = await servers.tcp((socket) => socket.once("data", (bytes: Buffer) => got.resolve(bytes)));
  const client = tlsConnect({ port, host: "127.0.0.1", ...(servername === "" ? {} : { servername }) });
  client.on("error", () => undefined);
  const bytes = await got.promise;
  client.destroy();
  return bytes;
}

/** A hello spread over records of one byte each, as TLS allows. */
function scattered(hello: Buffer): Buffer {
  return Buffer.concat([...hello.subarray(5)].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte])));
}

test("the name is read from a whole hello, however it is spread, and no cut or garbled one is misread", async () => {
  const hello = await helloFor("a.test");
  expect(readHello(hello)).toEqual({ name: "a.test" });
  expect(readHello(scattered(hello))).toEqual({ name: "a.test" });
  for (let end = 0; end < hello.length; end++) expect(readHello(hello.subarray(0, end))).toBe("more");
  for (let at = 5; at < hello.length; at++) {
    const garbled = Buffer.from(hello);
    garbled[at] = 255 - (garbled[at] ?? 0);
    expect(["string", "object"]).toContain(typeof readHello(garbled));
  }
  expect(readHello(await helloFor(""))).toEqual({ name: undefined });
  expect(readHello(Buffer.from("SSH-2.0-x"))).toBe("other");
});

/** A record with a fatal alert, as latin1. */
const UNRECOGNIZED_NAME = "\u0015\u0003\u0003\u0000\u0002\u0002\u0070";

test("a TLS client in a tunnel must ask for the host that the tunnel leads to", async () => {
  const port = await servers.tcp((socket) => socket.once("data", () => socket.end("seen")));
  const send = async (host: string, bytes: Buffer) => {
    const { open, records } = testBroker();
    const client = open([`${host}:${port}`]);
    client.write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`);
    await once(client, "data");
    client.write(bytes);
    const answer = await readAll(client);
    client.end();
    await expect.poll(() => records.length).toBe(1);
    return [answer, records[0]?.allowed, records[0]?.reason];
  };
  const hello = await helloFor("a.test");
  const nameless = await helloFor("");
  expect(await send("a.test", hello)).toEqual(["seen", true, undefined]);
  expect(await send("a.test", scattered(hello))).toEqual(["seen", true, undefined]);
  expect(await send("127.0.0.1", nameless)).toEqual(["seen", true, undefined]);
  expect(await send("b.test", hello)).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
  expect(await send("b.test", scattered(hello))).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
  expect(await send("a.test", nameless)).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
  expect(await send("127.0.0.1", hello)).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
});

test("a host that speaks first is heard before the client says anything", async () => {
  const port = await servers.tcp((socket) => socket.write("220 ready"));
  const { open } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  let text = "";
  client.on("data", (chunk) => (text += String(chunk)));
  await expect.poll(() => text).toContain("220 ready");
  client.destroy();
});
