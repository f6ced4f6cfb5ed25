import { once } from "node:events";
import { scriptedModel } from "@handrail/core/testing/scripted-model-port";
import type { FromServer } from "@handrail/protocol/socket";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type ServerFixture, serverFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
let host: string;
beforeEach(async () => {
  server = await serverFixture({
    model: scriptedModel([{ text: "Hello there." }, { text: "And again." }]),
    sandbox: { "terminal.watch": () => ({}) },
  });
  host = await server.listen();
});
afterEach(() => server.close());

const content = [{ type: "text" as const, text: "hello" }];

async function connect(headers: Record<string, string> = { authorization: server.bearer.authorization }) {
  const socket = new WebSocket(`ws://${host}/api/socket`, { headers });
  const received: FromServer[] = [];
  socket.on("message", (data: Buffer) => received.push(JSON.parse(data.toString("utf8")) as FromServer));
  const closed = once(socket, "close").then(([code]) => code as number);
  await Promise.race([once(socket, "open"), closed]);
  const seqs = () =>
    received.flatMap((message) => (message.type === "events" ? message.events.map((stored) => stored.seq) : []));
  const send = (message: object) => socket.send(JSON.stringify(message));
  return { socket, received, closed, seqs, send };
}

async function create(text?: string): Promise<string> {
  const answer = await server.app.inject({
    method: "POST",
    url: "/api/conversations",
    headers: server.bearer,
    payload: { source: { type: "demo" }, ...(text && { content }) },
  });
  return answer.json().id as string;
}

const upTo = (last: number) => Array.from({ length: last + 1 }, (_, seq) => seq);

test("a subscription gives history and then what is new, without gap or repeat", async () => {
  const id = await create();
  const client = await connect();
  client.send({ type: "subscribe", conversationId: id, after: -1 });
  await expect.poll(client.seqs).toEqual([0]);
  await server.host.conversations.addMessage(id, { messageId: undefined, userId: "local", content });
  await server.host.runs.awaitIdle(id);
  const { head } = await server.state.store.summary(id);
  await expect.poll(client.seqs).toEqual(upTo(head));
  expect(client.received.some((message) => message.type === "delta")).toBe(true);
});

test("a conversation is attended as long as a client is there that says so", async () => {
  const id = await create();
  const { isAttended } = server.host.deltas;
  const program = await connect();
  program.send({ type: "subscribe", conversationId: id, after: -1 });
  await expect.poll(program.seqs).toEqual([0]);
  expect(isAttended(id)).toBe(false);

  const [first, second] = [await connect(), await connect()];
  for (const page of [first, second]) {
    page.send({ type: "subscribe", conversationId: id, after: -1, attended: true });
    await expect.poll(page.seqs).toEqual([0]);
  }
  first.send({ type: "unsubscribe", conversationId: id });
  first.socket.close();
  await first.closed;
  expect(isAttended(id)).toBe(true);
  second.socket.close();
  await expect.poll(() => isAttended(id)).toBe(false);
});

test("clients that join at any moment of a run see the same events", async () => {
  const id = await create();
  const journal = await server.host.journals.get(id);
  const clients = [];
  for (let index = 0; index < 40; index++) {
    const renamed = journal.commit(() => [{ type: "conversation.renamed", title: `${index}`, by: "user" }]);
    const client = await connect();
    client.send({ type: "subscribe", conversationId: id, after: -1 });
    clients.push(client);
    await renamed;
  }
  for (const client of clients) await expect.poll(client.seqs).toEqual(upTo(40));
});

test("each of many who watch one conversation gets every event of its run, whole and in order", async () => {
  const id = await create();
  const watchers = await Promise.all(Array.from({ length: 60 }, () => connect()));
  for (const watcher of watchers) watcher.send({ type: "subscribe", conversationId: id, after: -1 });
  for (const watcher of watchers) await expect.poll(watcher.seqs).toEqual([0]);
  await server.host.conversations.addMessage(id, { messageId: undefined, userId: "local", content });
  await server.host.runs.awaitIdle(id);
  const log = await server.state.store.read(id, -1, 1000);
  expect(log.map(({ event }) => event.type)).toContain("run.ended");
  for (const watcher of watchers) {
    await expect.poll(watcher.seqs).toEqual(upTo(log.length - 1));
    expect(watcher.received.flatMap((message) => (message.type === "events" ? message.events : []))).toEqual(log);
  }
});

test("a client comes back by number, and one that knows too much is told", async () => {
  const id = await create();
  for (const title of ["a", "b", "c"]) await server.host.conversations.change(id, { title });
  const client = await connect();
  client.send({ type: "subscribe", conversationId: id, after: 1 });
  await expect.poll(client.seqs).toEqual([2, 3]);
  client.send({ type: "subscribe", conversationId: id, after: 77 });
  await expect
    .poll(() => client.received.find((message) => message.type === "error"))
    .toMatchObject({
      code: "log_conflict",
      conversationId: id,
    });
});

test("after unsubscribing nothing more of it comes, and a new subscription goes on", async () => {
  const id = await create();
  const client = await connect();
  client.send({ type: "subscribe", conversationId: id, after: -1 });
  await expect.poll(client.seqs).toEqual([0]);
  client.send({ type: "unsubscribe", conversationId: id });
  client.send({ type: "ping" });
  await expect.poll(() => client.received.at(-1)?.type).toBe("pong");
  await server.host.conversations.change(id, { title: "quiet" });
  client.send({ type: "subscribe", conversationId: id, after: 0 });
  await expect.poll(client.seqs).toEqual([0, 1]);
});

test("summaries go to the owner's sockets alone", async () => {
  const client = await connect();
  const id = await create();
  await expect
    .poll(() => client.received.filter((message) => message.type === "summary"))
    .toMatchObject([{ conversationId: id, summary: { id, head: 0 } }]);
  const { store } = server.state;
  const summary = store.summary.bind(store);
  store.summary = async (asked) => ({ ...(await summary(asked)), ownerId: "somebody" });
  client.send({ type: "subscribe", conversationId: id, after: -1 });
  await expect.poll(() => client.received.at(-1)).toMatchObject({ type: "error", code: "conversation_not_found" });
});

test("sockets need a session and the page's own origin", async () => {
  expect(await (await connect({})).closed).toBe(4001);
  const secret = await server.state.sessions.start("local");
  const cookie = `handrail_test=${secret}`;
  for (const headers of [{ cookie }, { cookie, origin: "http://evil.example" }]) {
    const socket = new WebSocket(`ws://${host}/api/socket`, { headers });
    const [failure] = (await once(socket, "error")) as [Error];
    expect(failure.message).toContain("403");
  }
  const client = await connect({ cookie, origin: `http://${host}` });
  await expect.poll(() => client.received[0]?.type).toBe("welcome");
  server.live.sockets!.signedOut(secret);
  expect(await client.closed).toBe(4001);
});

test("what is no message of the protocol ends the socket", async () => {
  for (const data of ["{", `{"type":"eval"}`, Buffer.from([1, 2])]) {
    const client = await connect();
    client.socket.send(data);
    expect(await client.closed).toBe(4003);
  }
});

test("a server that stops sends its clients away", async () => {
  const client = await connect();
  await expect.poll(() => client.received.length).toBe(1);
  server.live.sockets!.close();
  expect(await client.closed).toBe(1001);
});

test("a terminal shows what its sandbox says, and its end", async () => {
  const id = await create();
  const client = await connect();
  const terminal = "main";
  client.send({ type: "terminal.open", conversationId: id, terminal, offset: 0, columns: 80, rows: 24 });
  await expect
    .poll(() => client.received.filter((message) => message.type === "terminal.closed"))
    .toEqual([{ type: "terminal.closed", conversationId: id, terminal, reason: "The terminal is closed." }]);
});
