import { once } from "node:events";
import type { NetworkRule } from "@handrail/protocol/sources";
import { afterEach, expect, test } from "vitest";
import { rulesOf } from "./allow-list.ts";
import type { Question } from "./authorise.ts";
import { countTraffic } from "./traffic.ts";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

test("a conversation that has used up its bytes is refused by the limit's name, and an open tunnel is cut", async () => {
  const port = await servers.tcp((socket) => {
    const timer = setInterval(() => socket.write(new Uint8Array(50_000)), 5);
    socket.once("close", () => clearInterval(timer));
  });
  const reached: string[] = [];
  const { open, ask, records } = testBroker({
    limits: { bytes: 200_000 },
    onLimit: (id, limit) => reached.push(`${id} ${limit}`),
  });
  const client = open([`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await readAll(client);
  expect(reached).toEqual(["c_1 bytes"]);
  await expect.poll(() => records).toMatchObject([{ allowed: true, reason: "too_many_bytes" }]);
  expect(await ask([`a.test:${port}`], `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 429 .*x-handrail-refused: too_many_bytes/s,
  );
});

test("what was used before this process counts", async () => {
  const rules = rulesOf({ type: "allow", presets: ["everything"], hosts: [] });
  const { ask } = testBroker({ limits: { bytes: 100 }, lookUp: async () => ({ rules, bytesUsed: 100 }) });
  expect(await ask([], "CONNECT a.test:443 HTTP/1.1\r\n\r\n")).toContain("too_many_bytes");
});

test("what another process used meanwhile counts, and what is in the log already does not count twice", async () => {
  const limits = { bytes: 100, requestsPerMinute: 100, connections: 1 };
  const traffic = countTraffic({ limits, onLimit: () => undefined, now: () => 0 });
  const use = (bytes: number) => traffic.follow("c_1", { bytesRead: bytes, bytesWritten: 0 }, () => undefined)();
  expect(traffic.request("c_1", 0)).toBeUndefined();
  use(60);
  expect(traffic.request("c_1", 60)).toBeUndefined();
  expect(traffic.request("c_1", 99)).toBeUndefined();
  expect(traffic.request("c_1", 100)).toMatchObject({ code: "too_many_bytes" });
  traffic.close();
});

test("more requests in a minute than allowed are refused by the limit's name, each conversation for itself", async () => {
  const port = await servers.http((_request, response) => response.end("ok"));
  const { open } = testBroker({ limits: { requestsPerMinute: 2 } });
  const status = async (conversationId: string) => {
    const client = open([`a.test:${port}`], conversationId);
    client.write(`GET http://a.test:${port}/ HTTP/1.1\r\n\r\n`);
    const [head] = await once(client, "data");
    return String(head).split("\r\n")[0];
  };
  expect([await status("c_1"), await status("c_1"), await status("c_1"), await status("c_2")]).toEqual([
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 429 Too Many Requests",
    "HTTP/1.1 200 OK",
  ]);
});

test("requests are counted anew in each minute", () => {
  let at = 1000;
  const limits = { bytes: 100, requestsPerMinute: 1, connections: 1 };
  const traffic = countTraffic({ limits, onLimit: () => undefined, now: () => at });
  const outcome = (after: number) => {
    at += after;
    return traffic.request("c_1", 0)?.code;
  };
  expect([outcome(0), outcome(59_999), outcome(1), outcome(59_000)]).toEqual([
    undefined,
    "too_many_requests",
    undefined,
    "too_many_requests",
  ]);
  traffic.close();
});

test("a rule holds from the request after its change", async () => {
  const port = await servers.http((_request, response) => response.end("ok"));
  let hosts: string[] = [];
  const { ask } = testBroker({
    lookUp: async () => ({ rules: rulesOf({ type: "allow", presets: [], hosts }), bytesUsed: 0 }),
  });
  const text = `GET http://a.test:${port}/ HTTP/1.1\r\n\r\n`;
  expect(await ask([], text)).toContain("host_not_allowed");
  hosts = [`a.test:${port}`];
  expect(await ask([], text)).toContain("200 OK");
  hosts = [];
  expect(await ask([], text)).toContain("host_not_allowed");
});

test("what no user can allow is not asked for", async () => {
  const asked: string[] = [];
  const askUser = async ({ refusal }: Question) => {
    asked.push(refusal.code);
    return refusal;
  };
  const requests = [{ host: "a.test", methods: ["GET"], path: "/x" }];
  const rule: NetworkRule = { type: "allow", presets: [], hosts: [], requests };
  const { ask } = testBroker({ askUser, allowLoopback: false });
  expect(await ask({ type: "none" }, "CONNECT a.test:443 HTTP/1.1\r\n\r\n")).toContain("network_off");
  expect(await ask(rule, "GET http://a.test/a%2fb HTTP/1.1\r\n\r\n")).toContain("path_ambiguous");
  expect(await ask(rule, "GET http://a.test/x HTTP/1.1\r\n\r\n")).toContain("address_forbidden");
  expect(await ask(rule, "GET http://a.test/y HTTP/1.1\r\n\r\n")).toContain("request_not_allowed");
  expect(asked).toEqual(["request_not_allowed"]);
});

test.each(["169.254.169.254", "127.1", "0x7f000001", "[::1]", "[::ffff:10.0.0.1]", "10.0.0.8", "db.localhost"])(
  "%s is asked for in no form: no answer makes it reachable",
  async (host) => {
    const asked: string[] = [];
    const askUser = async ({ asked: { host: of }, refusal }: Question) => {
      asked.push(of.name);
      return refusal;
    };
    const { ask } = testBroker({ askUser, allowLoopback: false, privateHosts: ["10.0.0.7"] });
    expect(await ask([], `GET http://${host}/ HTTP/1.1\r\n\r\n`)).toContain("address_forbidden");
    expect(await ask([], `CONNECT ${host}:8080 HTTP/1.1\r\n\r\n`)).toContain("address_forbidden");
    expect(asked).toEqual([]);
  },
);

test("a public address and a private one that the operator named are asked for", async () => {
  const asked: string[] = [];
  const askUser = async ({ asked: { host }, refusal }: Question) => {
    asked.push(host.name);
    return refusal;
  };
  const { ask } = testBroker({ askUser, allowLoopback: false, privateHosts: ["10.0.0.7"] });
  for (const host of ["10.0.0.7", "1.1.1.1"]) {
    expect(await ask([], `GET http://${host}/ HTTP/1.1\r\n\r\n`)).toContain("host_not_allowed");
  }
  expect(asked).toEqual(["10.0.0.7", "1.1.1.1"]);
});

test("a request that no rule allows waits for what the user says, and goes on or is refused", async () => {
  const port = await servers.http((_request, response) => response.end("ok"));
  const asked: unknown[] = [];
  const text = `GET http://a.test:${port}/p?secret=1 HTTP/1.1\r\n\r\n`;
  const yes = testBroker({
    async askUser({ conversationId, asked: { host, method, path }, refusal }) {
      asked.push([conversationId, host.name, method, path, refusal.code]);
      return { allowedBy: "once" };
    },
  });
  expect(await yes.ask([], text)).toContain("200 OK");
  expect(asked).toEqual([["c_1", "a.test", "GET", "/p", "host_not_allowed"]]);
  await expect.poll(() => yes.records).toMatchObject([{ allowed: true, rule: "once" }]);
  const no = testBroker({ askUser: async () => ({ code: "denied", message: "The user said no." }) });
  expect(await no.ask([], text)).toMatch(/403 Forbidden[^]*x-handrail-refused: denied[^]*said no/);
});
