import { duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { helperConversation, HelperLost } from "./helper-conversation.ts";

const MOUNT = { type: "mount", volume: "v1" } as const;

function open(answerMs?: number) {
  const [here, helper] = duplexPair();
  let losses = 0;
  const onLost = () => void losses++;
  const conversation = helperConversation(here, {
    onLost,
    complaints: () => "no library",
    ...(answerMs === undefined ? {} : { answerMs }),
  });
  return { ...conversation, helper, losses: () => losses };
}

test("requests are numbered lines, and an answer is that of its number", async () => {
  const { ask, end, helper, losses } = open();
  const answered = Promise.all([ask(MOUNT), ask({ ...MOUNT, volume: "v2" }).catch((thrown: unknown) => thrown)]);
  helper.write('{"id":0,"code":"sandbox_failed"}\n{"id":2,"code":"disk_full","message":"No space."}\n{"id":1}\n');
  expect(await answered).toEqual([undefined, expect.objectContaining({ code: "disk_full", message: "No space." })]);
  const said = text(helper);
  helper.end();
  await end();
  expect(await said).toBe('\n{"type":"mount","volume":"v1","id":1}\n{"type":"mount","volume":"v2","id":2}\n');
  expect(losses()).toBe(1);
});

test("a helper that does not answer is given up in time, with all that was asked of it", async () => {
  const { ask, helper, losses } = open(20);
  helper.resume();
  const both = await Promise.allSettled([ask(MOUNT), ask(MOUNT)]);
  const reason = new HelperLost("it has not answered within 0.02 seconds.");
  expect(both).toEqual([
    { status: "rejected", reason },
    { status: "rejected", reason },
  ]);
  await expect(ask(MOUNT)).rejects.toBeInstanceOf(HelperLost);
  expect(losses()).toBe(1);
});

test("what a helper said last is why it is lost", async () => {
  const { ask, helper } = open();
  const asked = ask(MOUNT);
  helper.destroy();
  await expect(asked).rejects.toThrow("no library");
});
