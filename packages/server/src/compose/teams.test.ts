import { duplexPair } from "node:stream";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { applyEvent } from "@handrail/protocol/conversation-state";
import type { EventOf } from "@handrail/protocol/events";
import { summaryOf } from "@handrail/protocol/summary";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
beforeEach(async () => {
  server = await serverFixture({ argv: ["--teams", "core,web"] });
});
afterEach(() => server.close());

type Ask = { readonly method: "GET" | "POST" | "PUT" | "DELETE"; readonly url: string; readonly payload?: object };

/** As the one user, or as another who is in no team. */
async function ask(asked: Ask, headers: Readonly<Record<string, string>> = server.bearer) {
  const answer = await server.app.inject({ ...asked, headers });
  return { status: answer.statusCode, body: answer.json() };
}

async function somebodyElse() {
  const session = await server.state.sessions.start("ada");
  return { cookie: `${server.cookieName}=${session}`, host: "localhost", origin: "http://localhost" };
}

const sandbox: EventOf<"conversation.created">["sandbox"] = {
  backend: "process",
  network: { type: "allow", presets: [], hosts: [] },
};
const newConversation = (teamId?: string): Ask => ({
  method: "POST",
  url: "/api/conversations",
  payload: { source: { type: "empty" }, sandbox, ...(teamId === undefined ? {} : { teamId }) },
});
const rule = (teamId: string): Ask => ({
  method: "POST",
  url: "/api/network-rules",
  payload: { scope: "team", teamId, hosts: ["nowhere.invalid"] },
});
const setting = { use: { type: "file" }, value: "value-of-the-secret" } as const;
const secret = (teamId: string): Ask => ({
  method: "PUT",
  url: "/api/secrets/KEY",
  payload: { ...setting, scope: { type: "team", teamId } },
});

/** Why a request of the conversation's sandbox was refused. There is no such host as the default. */
async function refusal(conversationId: string, host = "nowhere.invalid"): Promise<string | undefined> {
  const [ours, theirs] = duplexPair();
  (await server.state.network.egress())({ conversationId }, theirs);
  ours.write(`GET http://${host}/ HTTP/1.1\r\n\r\n`);
  let got = "";
  for await (const chunk of ours) got += String(chunk);
  return /x-handrail-refused: (\w+)/.exec(got)?.[1];
}

test("a conversation is for a team that its user belongs to, as its log says from the beginning", async () => {
  expect((await ask({ method: "GET", url: "/api/session" })).body).toMatchObject({ teams: ["core", "web"] });
  const made = (await ask(newConversation("web"))).body;
  expect(made).toMatchObject({ ownerId: "local", teamId: "web" });
  const [first] = await server.state.store.read(made.id, -1, 1);
  expect(first?.event).toMatchObject({ type: "conversation.created", teamId: "web" });
  expect((await ask(newConversation())).body).toMatchObject({ teamId: null });
});

test("who is not in a team makes no conversation, rule or secret for it, and takes none away", async () => {
  const { ruleId } = (await ask(rule("core"))).body;
  const sealed = (await ask(secret("core"))).body;
  const other = await somebodyElse();
  const remove: Ask = { method: "DELETE", url: "/api/secrets/KEY?team=core" };
  for (const asked of [newConversation("core"), rule("core"), secret("core"), remove]) {
    expect(await ask(asked, other)).toMatchObject({
      status: 403,
      body: { code: "forbidden", detail: "You belong to no team core." },
    });
  }
  expect(await ask(newConversation("unknown"))).toMatchObject({ status: 403, body: { code: "forbidden" } });
  const gone = await ask({ method: "DELETE", url: `/api/network-rules/${ruleId}` }, other);
  expect(gone).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect((await ask({ method: "GET", url: "/api/network-rules" }, other)).body).toEqual({ rules: [] });
  expect((await ask({ method: "GET", url: "/api/secrets" }, other)).body).toEqual({ secrets: [] });
  expect((await ask({ method: "GET", url: "/api/network-rules" })).body.rules).toMatchObject([{ ruleId }]);
  expect((await ask({ method: "GET", url: "/api/secrets" })).body).toEqual({ secrets: [sealed] });
  expect(await ask(remove)).toMatchObject({ status: 200 });
  expect((await ask({ method: "GET", url: "/api/secrets" })).body).toEqual({ secrets: [] });
});

test("a team's rule holds from the next request for that team's conversations alone", async () => {
  const ids: string[] = [];
  for (const team of ["core", "web", undefined]) ids.push((await ask(newConversation(team))).body.id);
  const all = () => Promise.all(ids.map((id) => refusal(id)));
  expect(await all()).toEqual(["host_not_allowed", "host_not_allowed", "host_not_allowed"]);
  const { ruleId } = (await ask(rule("core"))).body;
  // The rule allows it now; what stands in the way is that the address is this machine's.
  expect(await all()).toEqual(["name_unresolved", "host_not_allowed", "host_not_allowed"]);
  await ask({ method: "DELETE", url: `/api/network-rules/${ruleId}` });
  expect(await all()).toEqual(["host_not_allowed", "host_not_allowed", "host_not_allowed"]);
});

test("an ask is answered for the team by who is in it", async () => {
  const { id } = (await ask(newConversation("core"))).body;
  const neighbour = (await ask(newConversation("core"))).body.id;
  const leave = server.state.deltas.attend(id);
  const refused = refusal(id);
  await expect.poll(async () => (await server.host.journals.get(id)).state.asks.length).toBe(1);
  const [open] = (await server.host.journals.get(id)).state.asks;
  const url = `/api/conversations/${id}/network/asks/${open?.askId ?? ""}`;
  expect(await ask({ method: "POST", url, payload: { answer: "always", scope: "team" } })).toMatchObject({
    status: 200,
  });
  expect([await refused, await refusal(neighbour)]).toEqual(["name_unresolved", "name_unresolved"]);
  leave();
});

test("a team's secret is masked in what its conversations ask for, and is unknown in others", async () => {
  await ask(secret("core"));
  const asked = async (id: string) => {
    await refusal(id, `${setting.value}.test`);
    return (await server.host.journals.get(id)).state.asks.map(({ host }) => host);
  };
  expect(await asked((await ask(newConversation("core"))).body.id)).toEqual(["[secret KEY].test"]);
  for (const other of ["web", undefined]) {
    expect(await asked((await ask(newConversation(other))).body.id)).toEqual([`${setting.value}.test`]);
  }
  await conversationOfAda();
  expect(await asked(SAMPLE_ID)).toEqual([`${setting.value}.test`]);
});

/** For a team that she does not belong to any more. */
async function conversationOfAda(): Promise<void> {
  const created: EventOf<"conversation.created"> = sampleCreated({ ownerId: "ada", teamId: "core", sandbox });
  const summary = summaryOf(applyEvent(null, { seq: 0, at: 1, event: created }));
  await server.state.store.append({ conversationId: SAMPLE_ID, expectedSeq: 0, events: [created], summary, at: 1 });
}

test("rules of a team hold no longer for the conversations of somebody who is not in it any more", async () => {
  await conversationOfAda();
  await ask(rule("core"));
  expect(await refusal(SAMPLE_ID)).toBe("host_not_allowed");
});
