import type { ConversationSummary } from "@handrail/protocol/summary";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, answeringServer } from "./testing/answering-server.ts";

const AT = new Date(2026, 10, 23, 9, 5).getTime();

function row(id: string, more: Partial<ConversationSummary>): ConversationSummary {
  return {
    id,
    ownerId: "local",
    teamId: null,
    title: "Find out why",
    state: "done",
    archived: false,
    source: { type: "demo" },
    backend: "process",
    model: "demo",
    head: 9,
    createdAt: AT,
    updatedAt: AT,
    costUsd: 0,
    steps: 1,
    changes: { files: 0, added: 0, removed: 0 },
    ...more,
  };
}

const [QUIET, ASKING, LATE] = ["c_00000000000000000001", "c_00000000000000000002", "c_00000000000000000003"];
const asking = row(ASKING, { asks: 2, updatedAt: Date.now() });

let server: AnsweringServer;
beforeEach(async () => {
  const conversations = [asking, row(QUIET, {}), row(LATE, { asks: 1 })];
  server = await answeringServer({
    [`GET /api/conversations/${ASKING}`]: asking,
    [`GET /api/conversations/${ASKING}/events`]: { events: [], head: 9 },
    GET: { conversations, next: null },
  });
});
afterEach(() => server.close());

test("a list says which conversation waits for an answer, and where its sandbox's questions are", async () => {
  const { code, out } = await server.run(["list"]);
  const [first, ...others] = out.trimEnd().split("\n");
  expect(first).toMatch(
    new RegExp(`^${ASKING}  asked      [-0-9]{10} [0-9:]{5}     \\$0\\.00  Find .*  network: handrail asks ${ASKING}$`),
  );
  const told = "done       2026-11-23 09:05     $0.00  Find out why  (demo)";
  expect([code, others]).toEqual([0, [`${QUIET}  ${told}`, `${LATE}  ${told}`]]);
});

test("a conversation whose sandbox waits for an answer is shown as such", async () => {
  const { out } = await server.run(["show", ASKING]);
  expect(out).toBe(
    [
      "Find out why",
      "",
      "asked: 0 files changed (+0 -0), $0.00",
      `Its sandbox wants to reach what no rule allows. See: handrail asks ${ASKING}`,
      "",
    ].join("\n"),
  );
});
