import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { type Pass, passes } from "./passes.ts";
import { previewAddress } from "./preview-address.ts";
import { previews } from "./previews.ts";

const ID = "c_00000000000000000001";
const GONE = "c_00000000000000000002";
const SHARE = { shareId: "s1", conversationId: ID, port: 8080, expiresAt: 9 };
const LEFT = { ...SHARE, shareId: "s3", conversationId: GONE };

const those = previews({
  address: () => previewAddress("http://*.localhost:1"),
  passes: passes(Buffer.alloc(32, 7), () => 0),
  shares: {
    add: async () => SHARE,
    find: (shareId) => [SHARE, LEFT].find((one) => one.shareId === shareId),
    of: () => [],
    end: async () => undefined,
  },
  sessions: { isAlive: (hash) => hash === "alive" },
  async ownerOf(id) {
    if (id !== ID) throw new AppError("conversation_not_found", "None.");
    return "ada";
  },
  ownPorts: [],
  now: () => 0,
});

test.each<[string, Partial<Pass>, boolean]>([
  ["of the owner, in a session that is alive", { session: "alive" }, true],
  ["of the owner, by the local program", { session: "" }, true],
  ["of a session that has ended", { session: "over" }, false],
  ["of somebody else", { userId: "bob", session: "alive" }, false],
  ["of somebody else without a session", { userId: "bob", session: "" }, false],
  ["of a conversation that is gone", { conversationId: GONE }, false],
  ["of a share", { userId: "", shareId: "s1" }, true],
  ["of a share that has ended", { userId: "ada", shareId: "s2" }, false],
  ["of a share for another port", { userId: "ada", shareId: "s1", port: 8081 }, false],
  ["of a share, its conversation gone", { shareId: "s3", conversationId: GONE }, false],
])("a pass %s is good or not", async (_what, more, expected) => {
  const pass: Pass = {
    kind: "visit",
    conversationId: ID,
    port: 8080,
    userId: "ada",
    session: "",
    expiresAt: 9,
    ...more,
  };
  expect(await those.admits(pass)).toBe(expected);
});
