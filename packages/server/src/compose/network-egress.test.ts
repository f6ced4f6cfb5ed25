import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { type Duplex, duplexPair } from "node:stream";
import { finished } from "node:stream/promises";
import { isPrivateAddress } from "@handrail/broker/public-address";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NetworkRule } from "@handrail/protocol/sources";
import { type ServerFixture, serverFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
beforeEach(async () => {
  server = await serverFixture();
});
afterEach(() => server.close());

async function newConversation(network: NetworkRule, teamId?: string): Promise<string> {
  const payload = { source: { type: "empty" }, sandbox: { backend: "process", network }, teamId };
  const made = await server.app.inject({ method: "POST", url: "/api/conversations", headers: server.bearer, payload });
  return made.json().id;
}

/** What the sandbox of a conversation gets back for a request through the server's own broker. */
async function send(conversationId: string, text: string): Promise<string> {
  const [ours, theirs] = duplexPair();
  (await server.state.network.egress())({ conversationId }, theirs);
  ours.write(text);
  let got = "";
  for await (const chunk of ours) got += String(chunk);
  return got;
}

const journal = (id: string) => server.host.journals.get(id);
const refusedAs = (answer: string) => /x-handrail-refused: (\w+)/.exec(answer)?.[1];
const GET = (host: string) => `GET http://${host}/ HTTP/1.1\r\n\r\n`;

test("rules of the owner and of the conversation hold from the next request, and none stays none", async () => {
  const open = await newConversation({ type: "allow", presets: [], hosts: [] });
  const closed = await newConversation({ type: "none" });
  expect(refusedAs(await send(open, GET("nowhere.invalid")))).toBe("host_not_allowed");
  const added = await server.app.inject({
    method: "POST",
    url: "/api/network-rules",
    headers: server.bearer,
    payload: { scope: "owner", hosts: ["nowhere.invalid"] },
  });
  // The rule allows it now; what stands in the way is that there is no such host.
  expect(refusedAs(await send(open, GET("nowhere.invalid")))).toBe("name_unresolved");
  expect(refusedAs(await send(closed, GET("nowhere.invalid")))).toBe("network_off");
  const url = `/api/network-rules/${added.json().ruleId}`;
  await server.app.inject({ method: "DELETE", url, headers: server.bearer });
  expect(refusedAs(await send(open, GET("nowhere.invalid")))).toBe("host_not_allowed");
  await server.app.inject({
    method: "PATCH",
    url: `/api/conversations/${open}`,
    headers: server.bearer,
    payload: { network: { type: "none" } },
  });
  expect(refusedAs(await send(open, GET("nowhere.invalid")))).toBe("network_off");
});

test("a refused request asks the user, waits while a person looks, and goes on when it is allowed here", async () => {
  const id = await newConversation({ type: "allow", presets: [], hosts: [] });
  const leave = server.state.deltas.attend(id);
  const answer = send(id, GET("nowhere.invalid"));
  await expect.poll(async () => (await journal(id)).state.asks).toMatchObject([{ host: "nowhere.invalid", port: 80 }]);
  const [ask] = (await journal(id)).state.asks;
  const url = `/api/conversations/${id}/network/asks/${ask?.askId ?? ""}`;
  const payload = { answer: "here" };
  expect((await server.app.inject({ method: "POST", url, headers: server.bearer, payload })).statusCode).toBe(200);
  expect(refusedAs(await answer)).toBe("name_unresolved");
  expect((await journal(id)).state.sandbox.network).toMatchObject({ hosts: ["nowhere.invalid"] });
  const again = await server.app.inject({ method: "POST", url, headers: server.bearer, payload });
  expect([again.statusCode, again.json().code]).toEqual([409, "ask_closed"]);
  leave();
});

test("a request that the user denies is refused with a word that they were asked", async () => {
  const id = await newConversation({ type: "allow", presets: [], hosts: [] });
  const leave = server.state.deltas.attend(id);
  const answer = send(id, GET("b.test"));
  await expect.poll(async () => (await journal(id)).state.asks.length).toBe(1);
  const [ask] = (await journal(id)).state.asks;
  await server.state.network.asks.answer(id, ask?.askId ?? "", { answer: "deny", teams: [] });
  expect(await answer).toMatch(/x-handrail-refused: denied[^]*The user was asked and did not allow b\.test\./);
  leave();
});

test("what the sandbox does is in the log by the time the server has closed, without queries", async () => {
  const target = createServer((_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  const { port } = target.address() as AddressInfo;
  const id = await newConversation({ type: "allow", presets: ["everything"], hosts: [] });
  await send(id, `GET http://127.0.0.1:${port}/a?token=secret HTTP/1.1\r\n\r\n`);
  await server.state.network.close();
  target.close();
  const events = await server.state.store.read(id, 0, 100);
  const recorded = events.find(({ event }) => event.type === "network.recorded");
  expect(recorded?.event).toMatchObject({
    requests: [
      {
        method: "GET",
        host: "127.0.0.1",
        port,
        path: "/a",
        allowed: false,
        rule: "preset everything",
        reason: "address_forbidden",
      },
    ],
  });
  expect(JSON.stringify(events)).not.toContain("secret");
});

test("an open tunnel ends when its rule goes, of the conversation or stored, and the list says so", async () => {
  const address = privateAddress();
  const upstream = createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket));
  await new Promise<void>((resolve) => upstream.listen(0, address, resolve));
  const { port } = upstream.address() as AddressInfo;
  const target = `${address}:${port}`;
  await server.close();
  server = await serverFixture({ argv: ["--network-private-hosts", address] });
  const api = (method: "POST" | "PATCH" | "DELETE", url: string, payload = {}) =>
    server.app.inject({ method, url, headers: server.bearer, payload });
  const { ruleId } = (await api("POST", "/api/network-rules", { scope: "owner", hosts: [target] })).json();
  const [ruled, stored] = [
    await newConversation({ type: "allow", presets: [], hosts: [target] }),
    await newConversation({ type: "allow", presets: [], hosts: [] }),
  ];
  const tunnels = await Promise.all([ruled, stored].map((id) => tunnelTo(id, target)));
  await api("PATCH", `/api/conversations/${ruled}`, { network: { type: "allow", presets: [], hosts: [] } });
  // The rule of the owner lets both through still.
  for (const tunnel of tunnels) expect(await said(tunnel, "hello")).toBe("hello");
  await api("PATCH", `/api/conversations/${ruled}`, { network: { type: "allow", presets: [], hosts: [target] } });
  await api("DELETE", `/api/network-rules/${ruleId}`);
  await readAll(tunnels[1]);
  expect(await said(tunnels[0], "hello")).toBe("hello");
  await api("PATCH", `/api/conversations/${ruled}`, { network: { type: "allow", presets: [], hosts: ["a.test"] } });
  await readAll(tunnels[0]);
  await server.state.network.close();
  for (const [id, rule] of [
    [ruled, `host ${target}`],
    [stored, `host ${target} (owner)`],
  ] as const) {
    const events = (await server.state.store.read(id, 0, 100)).map(({ event }) => event);
    const requests = events.flatMap((event) => (event.type === "network.recorded" ? event.requests : []));
    expect(requests).toMatchObject([{ method: "CONNECT", allowed: true, rule, reason: "no_longer_allowed" }]);
  }
  upstream.close();
});

test("an open tunnel ends when the rule of its team goes, and those of other teams go on", async () => {
  const address = privateAddress();
  const upstream = createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket));
  await new Promise<void>((resolve) => upstream.listen(0, address, resolve));
  const target = `${address}:${(upstream.address() as AddressInfo).port}`;
  await server.close();
  server = await serverFixture({ argv: ["--network-private-hosts", address, "--teams", "core,web"] });
  const rules: string[] = [];
  const tunnels: Duplex[] = [];
  for (const teamId of ["core", "web"]) {
    const payload = { scope: "team", teamId, hosts: [target] };
    const asked = { method: "POST", url: "/api/network-rules", headers: server.bearer, payload } as const;
    rules.push((await server.app.inject(asked)).json().ruleId);
    tunnels.push(await tunnelTo(await newConversation({ type: "allow", presets: [], hosts: [] }, teamId), target));
  }
  await server.app.inject({ method: "DELETE", url: `/api/network-rules/${rules[0]}`, headers: server.bearer });
  await readAll(tunnels[0]);
  expect(await said(tunnels[1], "hello")).toBe("hello");
  upstream.close();
});

/** A tunnel that is open. */
async function tunnelTo(conversationId: string, target: string): Promise<Duplex> {
  const [ours, theirs] = duplexPair();
  (await server.state.network.egress())({ conversationId }, theirs);
  expect(await said(ours, `CONNECT ${target} HTTP/1.1\r\n\r\n`)).toContain(" 200 ");
  return ours;
}

async function said(client: Duplex | undefined, text: string): Promise<string> {
  if (client === undefined) return "";
  client.write(text);
  return String((await once(client, "data"))[0]);
}

async function readAll(client: Duplex | undefined): Promise<void> {
  if (client !== undefined) await finished(client.resume(), { writable: false });
}

/** One of this machine's own. */
function privateAddress(): string {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  const address = own.find((one) => isPrivateAddress(one) && isIP(one) === 4);
  if (address === undefined) throw new Error("This machine has no address in a private network.");
  return address;
}

test("a private host that the operator names is reached when a rule allows it, and its neighbours are not", async () => {
  const address = privateAddress();
  const upstream = createServer((_request, response) => response.end("from the private network"));
  await new Promise<void>((resolve) => upstream.listen(0, address, resolve));
  const { port } = upstream.address() as AddressInfo;
  const target = `${address}:${port}`;
  await server.close();
  server = await serverFixture({ argv: ["--network-private-hosts", address] });
  const ruled = await newConversation({ type: "allow", presets: [], hosts: [target] });
  const unruled = await newConversation({ type: "allow", presets: [], hosts: [] });
  expect(await send(ruled, GET(target))).toContain("from the private network");
  expect(refusedAs(await send(unruled, GET(target)))).toBe("host_not_allowed");
  await server.close();
  server = await serverFixture();
  const elsewhere = await newConversation({ type: "allow", presets: [], hosts: [target] });
  expect(refusedAs(await send(elsewhere, GET(target)))).toBe("address_forbidden");
  upstream.close();
});

const SECRET = "Value-of-the-Secret-1";

test("a secret that a program puts into what it asks for is in no record, ask or notice", async () => {
  const payload = { value: SECRET, scope: { type: "owner" }, use: { type: "file" } };
  const saved = await server.app.inject({ method: "PUT", url: "/api/secrets/KEY", headers: server.bearer, payload });
  expect(saved.statusCode).toBe(200);
  const id = await newConversation({ type: "allow", presets: [], hosts: ["10.0.0.1"] });
  await send(id, GET(`${SECRET}.test`));
  await send(id, GET(`x.${Buffer.from(SECRET).toString("base64url")}.test`));
  await send(id, GET(`${SECRET.slice(0, 7)}.${SECRET.slice(7)}.test`));
  await send(id, `GET http://10.0.0.1/${"x".repeat(1010)}${SECRET} HTTP/1.1\r\n\r\n`);
  await send(id, `CONNECT ${"x".repeat(240)}${SECRET} HTTP/1.1\r\n\r\n`);
  const kinds = { type: "allow" as const, presets: [], hosts: [], requests: [{ host: "10.0.0.1", path: "/a" }] };
  const other = await newConversation(kinds);
  await send(other, `GET http://10.0.0.1/${SECRET} HTTP/1.1\r\n\r\n`);
  await server.state.network.close();
  const events = [...(await server.state.store.read(id, 0, 100)), ...(await server.state.store.read(other, 0, 100))];
  const types = new Set(events.map(({ event }) => event.type));
  expect(types).toEqual(new Set(["network.asked", "network.recorded", "notice.added"]));
  const text = JSON.stringify(events);
  expect(text).toContain("[secret KEY].test");
  expect(text).toContain("/[secret KEY]");
  const written = text.toLowerCase();
  for (let length = 10; length <= SECRET.length; length += 1) {
    expect(written).not.toContain(SECRET.slice(0, length).toLowerCase());
  }
  expect(written).not.toContain(Buffer.from(SECRET).toString("base64url").toLowerCase());
  expect(text).not.toMatch(/"host":"value-o/);
});

test("what the log says that a conversation used counts, in both directions", async () => {
  await server.close();
  server = await serverFixture({ argv: ["--network-max-bytes", "1000"] });
  const id = await newConversation({ type: "allow", presets: ["everything"], hosts: [] });
  const used = { at: 1, method: "GET", host: "a.test", port: 80, durationMs: 1, allowed: true };
  const opened = await journal(id);
  const add = (bytesUp: number, bytesDown: number) =>
    opened.commit(() => [{ type: "network.recorded", requests: [{ ...used, bytesUp, bytesDown }] }]);
  await add(400, 599);
  expect(refusedAs(await send(id, GET("127.0.0.1")))).toBe("address_forbidden");
  await add(0, 1);
  expect(refusedAs(await send(id, GET("127.0.0.1")))).toBe("too_many_bytes");
});

test("once lets the request go that waits for it", async () => {
  const id = await newConversation({ type: "allow", presets: [], hosts: [] });
  const leave = server.state.deltas.attend(id);
  const answer = send(id, GET("nowhere.invalid"));
  await expect.poll(async () => (await journal(id)).state.asks.length).toBe(1);
  const [ask] = (await journal(id)).state.asks;
  await server.state.network.asks.answer(id, ask?.askId ?? "", { answer: "once", teams: [] });
  expect(refusedAs(await answer)).toBe("name_unresolved");
  leave();
});
