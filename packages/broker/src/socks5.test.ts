import { afterEach, expect, test } from "vitest";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

const GREETING = Buffer.from([5, 1, 0]);
const named = (command: number, host: string, port: number) =>
  Buffer.concat([
    Buffer.from([5, command, 0, 3, host.length]),
    Buffer.from(host),
    Buffer.from([port >> 8, port & 255]),
  ]);
const at = (kind: number, address: readonly number[], port: number) =>
  Buffer.from([5, 1, 0, kind, ...address, port >> 8, port & 255]);
const reply = (code: number) => `\x05\x00\x05${String.fromCharCode(code)}\x00\x01\x00\x00\x00\x00\x00\x00`;

test("SOCKS5 to an allowed name gives a tunnel to it, also byte by byte, and it is recorded", async () => {
  const port = await servers.tcp((socket) => socket.on("data", (chunk) => socket.end(`echo ${String(chunk)}`)));
  for (const step of [1, 1000]) {
    const { open, records } = testBroker();
    const client = open([`a.test:${port}`]);
    const bytes = Buffer.concat([GREETING, named(1, "A.test", port), Buffer.from("hello")]);
    const answer = readAll(client);
    for (let from = 0; from < bytes.length; from += step) {
      client.write(bytes.subarray(from, from + step));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await answer).toMatch(/^\x05\x00\x05\x00\x00\x01\x00{6}echo h/);
    client.end();
    await expect
      .poll(() => records)
      .toMatchObject([{ method: "SOCKS", host: "a.test", port, allowed: true, rule: `host a.test:${port}` }]);
  }
});

test("SOCKS5 takes addresses of both kinds", async () => {
  const port = await servers.tcp((socket) => socket.end("hi"));
  const { open, records } = testBroker();
  const client = open([`127.0.0.1:${port}`]);
  client.write(Buffer.concat([GREETING, at(1, [127, 0, 0, 1], port)]));
  expect(await readAll(client)).toBe(`${reply(0)}hi`);
  const other = open([]);
  other.write(Buffer.concat([GREETING, at(4, [0x20, 1, 0x0d, 0xb8, ...Array.from({ length: 11 }, () => 0), 7], 80)]));
  expect(await readAll(other)).toBe(reply(2));
  expect(records.at(-1)).toMatchObject({ host: "2001:db8::7", port: 80, reason: "address_forbidden" });
});

test.each([
  ["a host that no rule allows", Buffer.concat([GREETING, named(1, "b.test", 443)]), reply(2)],
  ["BIND", Buffer.concat([GREETING, named(2, "a.test", 443)]), reply(7)],
  ["UDP", Buffer.concat([GREETING, named(3, "a.test", 443)]), reply(7)],
  ["a name that is none", Buffer.concat([GREETING, named(1, "a test", 443)]), reply(2)],
  ["an unknown kind of address", Buffer.concat([GREETING, at(9, [1], 443)]), reply(2)],
  ["authentication that we have not", Buffer.from([5, 1, 2]), "\x05\xff"],
])("SOCKS5 with %s is refused", async (_what, bytes, expected) => {
  const { open } = testBroker();
  const client = open(["a.test"]);
  client.write(bytes);
  expect(await readAll(client)).toBe(expected);
});

test("a SOCKS5 client that changes its version is closed, and nothing is dialled", async () => {
  const { open, records } = testBroker();
  const client = open(["a.test"]);
  client.write(Buffer.concat([GREETING, Buffer.from([4, 1, 0, 3, 6]), Buffer.from("a.test"), Buffer.from([0, 80])]));
  expect(await readAll(client)).toBe("\x05\x00");
  expect(records).toEqual([]);
});

test("a SOCKS5 client that stops in the middle is closed", async () => {
  const { open } = testBroker({ headMs: 30 });
  const client = open(["a.test"]);
  client.write(GREETING);
  expect(await readAll(client)).toContain("timed_out");
});
