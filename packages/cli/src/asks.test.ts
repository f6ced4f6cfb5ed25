import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, answeringServer } from "./testing/answering-server.ts";

const ID = "c_00000000000000000001";
const [FIRST, SECOND] = ["n_00000000000000000001", "n_00000000000000000002"];
const EVENTS = [
  {
    type: "conversation.created",
    conversationId: ID,
    ownerId: "local",
    teamId: "core",
    title: "t",
    source: { type: "empty" },
    sandbox: { backend: "process", network: { type: "none" } },
    model: "demo",
    limits: {},
    runLimits: {},
  },
  { type: "network.asked", askId: FIRST, host: "a.example", port: 443, method: "CONNECT", reason: "host_not_allowed" },
  { type: "network.answered", askId: FIRST, answer: "deny" },
  {
    type: "network.asked",
    askId: SECOND,
    host: "b.example",
    port: 8080,
    method: "POST",
    path: "/v1/\u001b[2J",
    reason: "request_not_allowed",
  },
];

let server: AnsweringServer;
beforeEach(async () => {
  const events = EVENTS.map((event, seq) => ({ seq, at: 1_790_000_000_000 + seq, event }));
  server = await answeringServer({ GET: { events, head: events.length - 1 }, POST: {} });
});
afterEach(() => server.close());

test("the asks that are open are listed, as plain text", async () => {
  expect(await server.run(["asks", ID])).toEqual({
    code: 0,
    out: `${SECOND}  2026-09-21T14:13:20.003Z  POST b.example:8080/v1/\n`,
    err: "",
  });
});

test("an answer goes to the server, with for whom it is to hold", async () => {
  const url = `POST /api/conversations/${ID}/network/asks/${SECOND}`;
  expect(await server.run(["answer", ID, SECOND, "deny"])).toEqual({ code: 0, out: "", err: "It is refused.\n" });
  expect(await server.run(["answer", ID, SECOND, "always", "--for", "team"])).toMatchObject({ code: 0 });
  expect(server.requests).toEqual([
    [url, { answer: "deny" }],
    [url, { answer: "always", scope: "team" }],
  ]);
});

test.each([
  [["once", "--for", "team"], "--for goes with the answer always."],
  [["maybe"], "Allowed choices are once, here, always, deny."],
  [["always", "--for", "everybody"], "Allowed choices are owner, repository, team."],
])("answer %j is refused with 2 and says what to give", async (argv, sentence) => {
  const { code, err } = await server.run(["answer", ID, SECOND, ...argv]);
  expect(code).toBe(2);
  expect(err).toContain(sentence);
  expect(server.requests).toEqual([]);
});
