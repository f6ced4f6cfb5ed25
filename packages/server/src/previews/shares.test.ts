import { expect, test } from "vitest";
import { openShares } from "./shares.ts";

const ONE = { conversationId: "c_00000000000000000001", port: 8080 };
const OTHER = { conversationId: "c_00000000000000000002", port: 8080 };

/** Shares over a file in memory, and a clock. */
async function setUp() {
  let stored: Parameters<Parameters<typeof openShares>[0]["write"]>[0] = {};
  let now = 1000;
  const file = {
    read: async () => stored,
    write: async (next: typeof stored) => void (stored = next),
    remove: async () => undefined,
  };
  const open = () => openShares(file, () => now);
  return { open, at: (time: number) => (now = time), stored: () => stored };
}

test("a share is there until its time, after a restart too", async () => {
  const { open, at, stored } = await setUp();
  const share = await (await open()).add({ ...ONE, expiresAt: 2000 });
  const shares = await open();
  at(1999);
  expect([shares.find(share.shareId), shares.of(ONE.conversationId), shares.of(OTHER.conversationId)]).toEqual([
    share,
    [share],
    [],
  ]);
  at(2000);
  expect([shares.find(share.shareId), shares.of(ONE.conversationId)]).toEqual([undefined, []]);
  expect(["__proto__", "constructor", ""].map((id) => shares.find(id))).toEqual([undefined, undefined, undefined]);
  await shares.add({ ...OTHER, expiresAt: 3000 });
  expect(Object.values(stored())).toEqual([{ ...OTHER, expiresAt: 3000 }]);
});

test("a share is ended by its own conversation only", async () => {
  const { open } = await setUp();
  const shares = await open();
  const share = await shares.add({ ...ONE, expiresAt: 2000 });
  await shares.end(OTHER.conversationId, share.shareId);
  expect(shares.find(share.shareId)).toEqual(share);
  await shares.end(ONE.conversationId, share.shareId);
  expect(shares.find(share.shareId)).toBeUndefined();
});

test("there are no more than a thousand at a time, and nobody can guess one", async () => {
  const { open, at } = await setUp();
  const shares = await open();
  const ids = new Set<string>();
  for (let count = 0; count < 1000; count += 1) ids.add((await shares.add({ ...ONE, expiresAt: 2000 })).shareId);
  expect([ids.size, [...ids].every((id) => /^[\w-]{16}$/.test(id))]).toEqual([1000, true]);
  await expect(shares.add({ ...ONE, expiresAt: 2000 })).rejects.toMatchObject({ code: "limit_reached" });
  at(2000);
  await shares.add({ ...ONE, expiresAt: 3000 });
});
