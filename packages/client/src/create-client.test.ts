import { AppError } from "@handrail/protocol/errors";
import { expect, expectTypeOf, test } from "vitest";
import { createClient } from "./create-client.ts";

const ID = "c_0123456789abcdefghjk";

/** A fetch that answers with this, and keeps what it was asked. */
function scriptedFetch(status: number, body: unknown) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    asked.push({ url: url instanceof Request ? url.url : url.toString(), init });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return { fetch, asked };
}

test("a call fills in path, query, body and token, and gives the parsed answer without unknown keys", async () => {
  const { fetch, asked } = scriptedFetch(200, { events: [], head: 4, later: true });
  const client = createClient({ baseUrl: "http://localhost:3000/", token: "t", fetch });

  const answer = await client.events({ params: { id: ID }, query: { after: 3 } });

  expect(answer).toEqual({ events: [], head: 4 });
  expect(asked.map(({ url, init }) => [url, init?.method, init?.headers, init?.body])).toEqual([
    [
      `http://localhost:3000/api/conversations/${ID}/events?after=3`,
      "GET",
      { accept: "application/json, */*", authorization: "Bearer t" },
      undefined,
    ],
  ]);
});

test("a body travels as JSON, and a parameter cannot leave its place in the path", async () => {
  const { fetch, asked } = scriptedFetch(200, { kind: "applied", ref: "/repo", files: 1 });
  await createClient({ baseUrl: "", fetch }).deliver({ params: { id: "../x?y" }, body: { kind: "apply" } });
  expect(asked[0]).toMatchObject({
    url: "/api/conversations/..%2Fx%3Fy/deliver",
    init: { method: "POST", body: `{"kind":"apply"}`, headers: { "content-type": "application/json" } },
  });
});

test("a body that is left out travels as an empty object", async () => {
  const { fetch, asked } = scriptedFetch(202, {});
  await createClient({ baseUrl: "", fetch }).continueRun({ params: { id: ID } });
  await createClient({ baseUrl: "", fetch }).stopRun({ params: { id: ID } });
  expect(asked.map(({ init }) => init?.body)).toEqual(["{}", undefined]);
});

test("a call goes on after its page only when that is asked for", async () => {
  const { fetch, asked } = scriptedFetch(200, {});
  const client = createClient({ baseUrl: "", fetch });
  await client.deleteConversation({ params: { id: ID }, keepalive: true });
  await client.deleteConversation({ params: { id: ID } });
  expect(asked.map(({ init }) => init?.keepalive)).toEqual([true, undefined]);
});

test("unknown keys inside strict shapes are left out too", async () => {
  const event = { type: "conversation.archived", why: "new field" };
  const { fetch } = scriptedFetch(200, { events: [{ seq: 0, at: 1, event, extra: 1 }], head: 0 });
  const answer = await createClient({ baseUrl: "", fetch }).events({ params: { id: ID } });
  expect(answer.events).toEqual([{ seq: 0, at: 1, event: { type: "conversation.archived" } }]);
});

test("an answer of another shape is refused with the place where it differs", async () => {
  const { fetch } = scriptedFetch(200, { events: [], head: "four" });
  const failed = createClient({ baseUrl: "", fetch }).events({ params: { id: ID } });
  await expect(failed).rejects.toMatchObject({ code: "internal", details: { place: "head" } });
});

test("a problem becomes an AppError with its code, sentence and details", async () => {
  const problem = { type: "about:blank", title: "Conflict", status: 409, code: "run_active" };
  const { fetch } = scriptedFetch(409, { ...problem, detail: "A run is under way.", details: { runId: "r" } });
  const failed = createClient({ baseUrl: "", fetch }).continueRun({ params: { id: ID } });
  await expect(failed).rejects.toEqual(new AppError("run_active", "A run is under way.", { runId: "r" }));
});

test("a code that the table does not have becomes internal and keeps its sentence", async () => {
  const problem = {
    type: "about:blank",
    title: "",
    status: 418,
    code: "teapot",
    detail: "I am a teapot.",
    details: {},
  };
  const { fetch } = scriptedFetch(418, problem);
  const failed = createClient({ baseUrl: "", fetch }).session();
  await expect(failed).rejects.toEqual(new AppError("internal", "I am a teapot.", { status: 418, code: "teapot" }));
});

test("a failed answer that is no problem document says the status", async () => {
  const { fetch } = scriptedFetch(502, "<html>Bad gateway</html>");
  const failed = createClient({ baseUrl: "", fetch }).session();
  await expect(failed).rejects.toMatchObject({ code: "internal", details: { status: 502 } });
});

test("no answer is server_unreachable", async () => {
  const fetch = () => Promise.reject(new TypeError("fetch failed"));
  const failed = createClient({ baseUrl: "http://localhost:1", fetch }).healthz();
  await expect(failed).rejects.toMatchObject({ code: "server_unreachable", retryable: true });
});

test("a cancelled call rejects with the signal's own reason", async () => {
  const fetch: typeof globalThis.fetch = (_, init) =>
    new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
  const controller = new AbortController();
  const failed = createClient({ baseUrl: "", fetch }).session({ signal: controller.signal });
  controller.abort("the user left");
  await expect(failed).rejects.toBe("the user left");
});

test("a request without an answer ends at its timeout", async () => {
  const fetch: typeof globalThis.fetch = (_, init) =>
    new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
  const failed = createClient({ baseUrl: "", fetch, timeoutMs: 10 }).session();
  await expect(failed).rejects.toMatchObject({ code: "server_unreachable" });
});

test("a download is given as the response itself", async () => {
  const { fetch } = scriptedFetch(200, "diff --git a/x b/x");
  const client = createClient({ baseUrl: "", fetch });
  const response = await client.patch({ params: { id: ID } });
  expectTypeOf(response).toEqualTypeOf<Response>();
  expect(await response.text()).toBe("diff --git a/x b/x");
});

test("inputs are typed by the routes", () => {
  const client = createClient({ baseUrl: "" });
  expectTypeOf(client.conversation).toBeCallableWith({ params: { id: ID } });
  expectTypeOf(client.settings).toBeCallableWith();
  // @ts-expect-error: the parameters are needed
  expectTypeOf(client.conversation).toBeCallableWith();
  // @ts-expect-error: the query is needed
  expectTypeOf(client.changedFile).toBeCallableWith({ params: { id: ID } });
});
