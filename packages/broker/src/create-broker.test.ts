import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { findAddresses, systemAddresses } from "./find-addresses.ts";
import { readAll, socketPair, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

test("CONNECT to an allowed host gives a tunnel to it, and its bytes are counted", async () => {
  const port = await servers.tcp((socket) => socket.on("data", (chunk) => socket.end(`echo ${String(chunk)}`)));
  const { open, records } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\nHost: a.test:${port}\r\nProxy-Authorization: Basic eDp5\r\n\r\n`);
  const [head] = await once(client, "data");
  expect(String(head)).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  client.end("hello");
  expect(await readAll(client)).toBe("echo hello");
  await expect
    .poll(() => records)
    .toEqual([
      {
        conversationId: "c_1",
        method: "CONNECT",
        host: "a.test",
        port,
        path: undefined,
        allowed: true,
        rule: `host a.test:${port}`,
        reason: undefined,
        at: expect.any(Number),
        durationMs: expect.any(Number),
        bytesUp: 5,
        bytesDown: 10,
      },
    ]);
});

test("bytes sent right behind CONNECT reach the host", async () => {
  const port = await servers.tcp((socket) => socket.on("data", (chunk) => socket.end(`echo ${String(chunk)}`)));
  const { open } = testBroker();
  const client = open([`a.test:${port}`]);
  client.end(`CONNECT a.test:${port} HTTP/1.1\r\n\r\nearly`);
  expect(await readAll(client)).toBe("HTTP/1.1 200 Connection Established\r\n\r\necho early");
});

test("a host that is not allowed is refused with the reason and what to do", async () => {
  const { ask, records } = testBroker();
  const answer = await ask(["a.test"], "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n");
  expect(answer.split("\r\n")).toEqual([
    "HTTP/1.1 403 Forbidden",
    "x-handrail-refused: host_not_allowed",
    "content-type: text/plain; charset=utf-8",
    "content-length: 95",
    "connection: close",
    "",
    "Handrail: b.test is not among the hosts that this sandbox may reach. Ask the user to allow it.\n",
  ]);
  expect(records).toEqual([
    {
      conversationId: "c_1",
      method: "CONNECT",
      host: "b.test",
      port: 443,
      path: undefined,
      allowed: false,
      rule: undefined,
      reason: "host_not_allowed",
      at: expect.any(Number),
      durationMs: expect.any(Number),
      bytesUp: 0,
      bytesDown: 0,
    },
  ]);
});

test.each([
  ["CONNECT a.test:22", "port_not_allowed"],
  ["CONNECT a.test", "host_invalid"],
  ["CONNECT a.test:0", "host_invalid"],
  ["CONNECT http://a.test:443", "host_invalid"],
  ["CONNECT [::1%25lo]:443", "host_invalid"],
  ["CONNECT 2130706433:443", "host_not_allowed"],
  ["GET http://b.test/", "host_not_allowed"],
  ["GET http://a.test:8080/", "port_not_allowed"],
  ["GET https://a.test/", "request_invalid"],
  ["GET ftp://a.test/", "request_invalid"],
  ["GET /", "request_invalid"],
  ["GET http://a.test@b.test/", "request_invalid"],
  ["GET http://b.test\\@a.test/", "request_invalid"],
  ["OPTIONS *", "request_invalid"],
])("%s is refused as %s", async (line, code) => {
  const { ask, records } = testBroker();
  expect(await ask(["a.test"], `${line} HTTP/1.1\r\n\r\n`)).toContain(`x-handrail-refused: ${code}\r\n`);
  expect(records.map((record) => [record.allowed, record.reason])).toEqual([[false, code]]);
});

test.each([
  ["http://a.test/", "b.test"],
  ["http://a.test/", "a.test:8080"],
  ["http://a.test:8080/", "a.test"],
  ["http://a.test/", "a.test@b.test"],
  ["http://a.test/", "b.test, a.test"],
])("a plain request to %s whose Host is %s is refused", async (url, host) => {
  const { ask, records } = testBroker();
  const answer = await ask(["a.test", "a.test:8080"], `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*x-handrail-refused: host_mismatch\r\n/);
  expect(records.map(({ allowed, reason }) => [allowed, reason])).toEqual([[false, "host_mismatch"]]);
});

test("an address that is not public is refused, also beside a public one, whatever form it is written in", async () => {
  for (const addresses of [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:93.184.215.14"], ["fe80::1%eth0"]]) {
    const { ask } = testBroker({ allowLoopback: false, resolve: async () => addresses });
    expect(await ask(["a.test"], "CONNECT a.test:443 HTTP/1.1\r\n\r\n")).toContain(
      "x-handrail-refused: address_forbidden",
    );
  }
  for (const host of ["169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "[::1]", "0"]) {
    const { ask } = testBroker({ allowLoopback: false });
    expect(await ask([host], `CONNECT ${host}:80 HTTP/1.1\r\n\r\n`)).toContain("x-handrail-refused: address_forbidden");
  }
});

test("this machine is not reached by its public addresses, unless the operator names the host", async () => {
  const addresses: Readonly<Record<string, readonly string[]>> = {
    "self.test": ["93.184.215.14"],
    "six.test": ["2606:4700::1111"],
    "among.test": ["93.184.215.15", "2606:4700::1111"],
  };
  const { ask, records } = testBroker({
    resolve: async (name) => addresses[name] ?? [],
    ownAddresses: () => ["93.184.215.14", "2606:4700::1111"],
  });
  const targets = [...Object.keys(addresses), "93.184.215.14", "[2606:4700:0::1111]"];
  for (const host of targets) {
    expect(await ask([`${host}:1`], `CONNECT ${host}:1 HTTP/1.1\r\n\r\n`)).toContain("address_forbidden");
  }
  expect(records.map(({ allowed }) => allowed)).toEqual(targets.map(() => false));
  const one = { resolve: async () => ["2606:4700::1111"], ownAddresses: () => ["2606:4700::1111"] };
  const host = { name: "self.test", address: false };
  const settings = { ...one, allowLoopback: false };
  expect(await findAddresses(host, { ...settings, mayBePrivate: () => true })).toEqual(["2606:4700::1111"]);
  expect(systemAddresses()).toContain("127.0.0.1");
});

test("four addresses of a name are tried, and no more", async () => {
  const port = await servers.tcp((socket) => socket.end());
  const dead = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
  const text = `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`;
  const answer = (resolved: readonly string[]) =>
    testBroker({ resolve: async () => resolved }).ask([`a.test:${port}`], text);
  expect(await answer([...dead, "127.0.0.1"])).toContain("200 Connection Established");
  expect(await answer([...dead, "127.0.0.5", "127.0.0.1"])).toContain("x-handrail-refused: unreachable");
});

test("a name is resolved once, and what was checked is what is dialled", async () => {
  const port = await servers.tcp((socket) => socket.end("hello"));
  const answers = [["127.0.0.1"], ["10.0.0.1"]];
  let asked = 0;
  const { ask, records } = testBroker({ resolve: async () => answers[asked++] ?? [] });
  const text = `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`;
  const client = await ask([`a.test:${port}`], text);
  expect(client).toContain("hello");
  expect(asked).toBe(1);
  expect(await ask([`a.test:${port}`], text)).toContain("address_forbidden");
  expect(records.at(-1)?.reason).toBe("address_forbidden");
});

test("a name that is unknown and a host that does not answer are told apart", async () => {
  const port = await servers.tcp(() => undefined);
  servers.close();
  const unknown = testBroker({ resolve: () => Promise.reject(new Error("ENOTFOUND")) });
  expect(await unknown.ask(["a.test"], "CONNECT a.test:443 HTTP/1.1\r\n\r\n")).toMatch(
    /^HTTP\/1.1 502 .*name_unresolved/s,
  );
  const silent = testBroker();
  const answer = await silent.ask([`a.test:${port}`], `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 502 .*x-handrail-refused: unreachable/s);
});

test("a side that ends what it sends still gets the rest, over real sockets", async () => {
  const port = await servers.tcp((socket) => {
    let got = "";
    socket.on("data", (chunk) => (got += String(chunk)));
    socket.on("end", () => setTimeout(() => socket.end(`got ${got}`), 20));
  });
  const { handle } = testBroker();
  const [client, ours] = await socketPair();
  handle(ours, [`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await once(client, "data");
  client.end("all of it");
  expect(await readAll(client)).toBe("got all of it");
});

test("a host that breaks off breaks the client's connection, and the other way round", async () => {
  const sockets: Socket[] = [];
  const port = await servers.tcp((socket) => {
    sockets.push(socket);
    socket.resume();
  });
  const { handle } = testBroker();
  const connectTo = async () => {
    const [client, ours] = await socketPair();
    handle(ours, [`a.test:${port}`]);
    client.on("error", () => undefined);
    client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
    await once(client, "data");
    await expect.poll(() => sockets.length).toBeGreaterThan(0);
    return [client, sockets.pop()!] as const;
  };
  const [first, firstHost] = await connectTo();
  firstHost.resetAndDestroy();
  await readAll(first);
  const [second, secondHost] = await connectTo();
  const closed = once(secondHost, "close");
  second.resetAndDestroy();
  secondHost.on("end", () => secondHost.end());
  await closed;
});

test("a large transfer arrives whole both ways, and a slow reader is not run over", async () => {
  const sent = randomBytes(8_000_000);
  let written = 0;
  const port = await servers.tcp((socket) => {
    const hash = createHash("sha256");
    socket.on("data", (chunk) => hash.update(chunk));
    socket.on("end", () => {
      socket.write(hash.digest());
      socket.end(sent, () => (written = sent.length));
    });
  });
  const { open, records } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await once(client, "data");
  client.pause();
  client.end(sent);
  await once(client, "finish");
  await sleep(200);
  expect(written).toBe(0);
  const chunks: Buffer[] = [];
  client.on("data", (chunk: Buffer) => chunks.push(chunk));
  client.resume();
  await once(client, "end");
  const got = Buffer.concat(chunks);
  expect(got.subarray(0, 32).equals(createHash("sha256").update(sent).digest())).toBe(true);
  expect(got.subarray(32).equals(sent)).toBe(true);
  await expect
    .poll(() => records.map((record) => [record.bytesUp, record.bytesDown]))
    .toEqual([[8_000_000, 8_000_032]]);
});
