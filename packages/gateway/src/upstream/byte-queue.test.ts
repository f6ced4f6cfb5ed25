import { expect, test } from "vitest";
import { byteQueue } from "./byte-queue.ts";

test("what waits for its reader is given in one piece, and the sender is held up only while it is too much", async () => {
  const told: string[] = [];
  const queue = byteQueue({
    full: () => told.push("full"),
    empty: () => told.push("empty"),
    left: () => told.push("left"),
    waiting: () => undefined,
  });
  const pieces = ["one ", "two ", "x".repeat(256 * 1024)];
  for (const piece of pieces) queue.push(Buffer.from(piece));
  const next = async () => Buffer.from(((await queue.bytes.next()).value as Uint8Array | undefined) ?? []).toString();
  expect([...told, (await next()) === pieces.join(""), ...told]).toEqual(["full", true, "full", "empty"]);
  const waits = next();
  queue.push(Buffer.from("three"));
  queue.push(Buffer.from("four"));
  queue.end();
  expect([await waits, await next(), await next(), ...told]).toEqual(["three", "four", "", "full", "empty"]);
});
