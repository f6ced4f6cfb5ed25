import { AppError } from "@handrail/protocol/errors";
import { scriptedModel } from "@handrail/core/testing/scripted-model-port";
import { afterEach, expect, test } from "vitest";
import { type FixtureOptions, type ServerFixture, serverFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
afterEach(() => server.close());

const start = async (options: FixtureOptions = {}) => (server = await serverFixture(options));
const content = [{ type: "text", text: "# Fix the *tests*\nplease" }];

async function send(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) {
  const answer = await server.app.inject({ method, url, headers: server.bearer, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json() };
}

async function create(body: object = {}) {
  const { body: summary } = await send("POST", "/api/conversations", { source: { type: "demo" }, ...body });
  return summary.id as string;
}

async function typesOf(id: string): Promise<string[]> {
  const { body } = await send("GET", `/api/conversations/${id}/events`);
  return body.events.map(({ event }: { event: { type: string } }) => event.type);
}

test("a conversation with a task runs it to its end, and is titled after it", async () => {
  await start();
  const { status, body } = await send("POST", "/api/conversations", { source: { type: "demo" }, content });
  expect([status, body.title, body.state, body.backend]).toEqual([201, "Fix the *tests*", "working", "process"]);
  await server.host.runs.awaitIdle(body.id);
  expect((await typesOf(body.id)).filter((type) => !type.startsWith("workspace."))).toEqual([
    "conversation.created",
    "message.added",
    "run.started",
    "sandbox.started",
    "step.started",
    "step.ended",
    "run.ended",
  ]);
  expect((await send("GET", `/api/conversations/${body.id}`)).body.state).toBe("done");
});

test("without a model nothing is written", async () => {
  await start();
  const body = { source: { type: "empty" }, content };
  const refused = await send("POST", "/api/conversations", body);
  expect([refused.status, refused.body.code]).toEqual([409, "model_unset"]);
  const { id } = (await send("POST", "/api/conversations", { source: { type: "empty" } })).body;
  const message = await send("POST", `/api/conversations/${id}/messages`, { content });
  expect([message.status, message.body.code]).toEqual([409, "model_unset"]);
  expect(await typesOf(id)).toEqual(["conversation.created"]);
});

test("a message that is sent twice is added once, also while its run is long over", async () => {
  await start({ model: scriptedModel([{ text: "One." }, { text: "Two." }]) });
  const id = await create();
  const messageId = `m_${"1".repeat(20)}`;
  const first = await send("POST", `/api/conversations/${id}/messages`, { messageId, content });
  await server.host.runs.awaitIdle(id);
  await send("POST", `/api/conversations/${id}/messages`, { content });
  await server.host.runs.awaitIdle(id);
  const again = await send("POST", `/api/conversations/${id}/messages`, { messageId, content });
  expect(again.body).toEqual(first.body);
  expect((await typesOf(id)).filter((type) => type === "message.added" || type === "run.started")).toEqual([
    "message.added",
    "run.started",
    "message.added",
    "run.started",
  ]);
});

test("a run that hangs stops when told to, and can go on", async () => {
  await start({ model: scriptedModel([{ text: "Thinking", hang: true }, { text: "Done." }]) });
  const id = await create({ content });
  await expect.poll(() => typesOf(id)).toContain("step.started");
  expect((await send("POST", `/api/conversations/${id}/continue`)).body.code).toBe("run_active");
  expect((await send("POST", `/api/conversations/${id}/stop`)).status).toBe(202);
  await server.host.runs.awaitIdle(id);
  expect((await send("GET", `/api/conversations/${id}`)).body.state).toBe("cancelled");
  expect((await send("POST", `/api/conversations/${id}/stop`)).body.code).toBe("run_inactive");
  expect((await send("POST", `/api/conversations/${id}/continue`, {})).status).toBe(202);
  await server.host.runs.awaitIdle(id);
  expect((await send("GET", `/api/conversations/${id}`)).body.state).toBe("done");
});

test("a conversation is renamed, archived, refused work, taken back and deleted", async () => {
  await start();
  const id = await create();
  const change = (body: object) => send("PATCH", `/api/conversations/${id}`, body);
  expect((await change({ title: " New name " })).body.title).toBe("New name");
  expect((await change({ archived: true })).body.archived).toBe(true);
  const refused = await send("POST", `/api/conversations/${id}/messages`, { content });
  expect([refused.status, refused.body.code]).toEqual([409, "conversation_archived"]);
  expect((await change({ archived: false })).body.archived).toBe(false);
  expect((await send("DELETE", `/api/conversations/${id}`)).status).toBe(200);
  expect((await send("GET", `/api/conversations/${id}`)).status).toBe(404);
});

test("a conversation of somebody else looks like none, on every route", async () => {
  await start();
  const id = await create();
  const { store } = server.state;
  const summary = { ...(await store.summary(id)), ownerId: "somebody" };
  store.summary = async () => summary;
  for (const path of ["", "/events", "/changes", "/patch", "/files", "/terminals"]) {
    const answer = await send("GET", `/api/conversations/${id}${path}`);
    expect([path, answer.body.code]).toEqual([path, "conversation_not_found"]);
  }
});

test("sandboxes without isolation need the server's own permission", async () => {
  await start();
  const wanted = { source: { type: "empty" }, sandbox: { backend: "none" } };
  const answer = await send("POST", "/api/conversations", wanted);
  expect([answer.status, answer.body.code]).toEqual([403, "forbidden"]);
});

test("a conversation has the profile that it asks for, else the server's, and only one that is allowed", async () => {
  await start({ argv: ["--sandbox-profiles", "default,strict", "--sandbox-profile", "strict"] });
  const chosen = async (profile?: string) => {
    const body = { source: { type: "empty" }, sandbox: { backend: "process", ...(profile && { profile }) } };
    const { body: answer } = await send("POST", "/api/conversations", body);
    if (answer.id === undefined) return answer.code;
    const [created] = (await send("GET", `/api/conversations/${answer.id}/events`)).body.events;
    return created.event.sandbox.profile;
  };
  expect([await chosen(), await chosen("strict"), await chosen("default"), await chosen("dev")]).toEqual([
    "strict",
    "strict",
    undefined,
    "forbidden",
  ]);
});

test("the list comes in pages, latest first, each conversation once", async () => {
  await start();
  const made = [];
  for (let index = 0; index < 5; index++) made.push(await create({ title: `number ${index}` }));
  const seen: string[] = [];
  for (let after: string | null = ""; after !== null;) {
    const { body } = await send("GET", `/api/conversations?limit=2${after === "" ? "" : `&after=${after}`}`);
    seen.push(...body.conversations.map((summary: { id: string }) => summary.id));
    after = body.next;
  }
  expect(seen.toSorted()).toEqual(made.toSorted());
});

test("images are kept when they are what they say, and given by conversations that hold them", async () => {
  await start();
  const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(8)]);
  const upload = (data: Buffer) =>
    send("POST", "/api/blobs", { mediaType: "image/png", data: data.toString("base64") });
  const kept = await upload(png);
  expect(kept.status).toBe(201);
  expect((await upload(Buffer.from("<svg onload=alert(1)>"))).body.code).toBe("unsupported_media_type");
  const id = await create();
  const url = `/api/conversations/${id}/blobs/${encodeURIComponent(kept.body.blob)}`;
  expect((await send("GET", url)).body.code).toBe("not_found");
  const image = { type: "image", blob: kept.body.blob, mediaType: "image/png" };
  expect((await send("POST", `/api/conversations/${id}/messages`, { content: [image] })).status).toBe(202);
  const answer = await server.app.inject({ url, headers: server.bearer });
  expect([answer.headers["content-type"], answer.rawPayload.equals(png)]).toEqual(["image/png", true]);
});

test("a full disk refuses writes and goes on reading", async () => {
  await start();
  const id = await create();
  const { store } = server.state;
  const append = store.append.bind(store);
  store.append = async () => {
    throw new AppError("storage_full", "The disk is full.");
  };
  const refused = await send("PATCH", `/api/conversations/${id}`, { title: "x" });
  expect([refused.status, refused.body.code]).toEqual([507, "storage_full"]);
  expect(await typesOf(id)).toEqual(["conversation.created"]);
  store.append = append;
  expect((await send("PATCH", `/api/conversations/${id}`, { title: "x" })).status).toBe(200);
});
