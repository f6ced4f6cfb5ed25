import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { CHANNEL_WINDOW_BYTES } from "@handrail/protocol/sandboxd/frames";
import { expect, test } from "vitest";
import { Channel } from "./channel.ts";

/** A channel whose link notes what it is told, and takes what is sent when `take` is called. */
function noted() {
  const sent: string[] = [];
  const taken: (() => void)[] = [];
  const told: (number | "closed")[] = [];
  const channel = new Channel({
    send(bytes, done) {
      sent.push(Buffer.from(bytes).toString());
      taken.push(done);
    },
    credit: (bytes) => told.push(bytes),
    close: () => told.push("closed"),
  });
  return { channel, sent, told, take: () => taken.shift()?.() };
}

const A = Uint8Array.of(65);

test("bytes that come one by one and are not read take little more memory than they are", async () => {
  const channels = Array.from({ length: 4 }, () => noted().channel);
  const before = process.memoryUsage();
  for (const channel of channels) {
    for (let at = 0; at < CHANNEL_WINDOW_BYTES; at++) {
      channel.receive(A);
      if (at % 100_000 === 0) await turn();
    }
  }
  const after = process.memoryUsage();
  const taken = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(taken / channels.length).toBeLessThan(16 * CHANNEL_WINDOW_BYTES);
});

test("all that came is read in order, and told as read once it was", async () => {
  const { channel, told } = noted();
  const letters = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
  for (const letter of letters) channel.receive(letter);
  const read: Buffer[] = [];
  channel.on("data", (piece: Buffer) => read.push(piece));
  await turn();
  expect(Buffer.concat(read).equals(Buffer.concat(letters))).toBe(true);
  expect(told.reduce<number>((sum, one) => sum + Number(one), 0)).toBe(Buffer.concat(letters).length);
  channel.receive(A);
  channel.closedByPeer();
  await once(channel, "close");
  expect(Buffer.concat(read).length).toBe(Buffer.concat(letters).length + 1);
});

test("a whole window that is read at once is told as read", async () => {
  const { channel, told } = noted();
  channel.receive(new Uint8Array(CHANNEL_WINDOW_BYTES));
  channel.resume();
  await turn();
  expect(told).toEqual([CHANNEL_WINDOW_BYTES]);
});

test("more than the window breaks the channel", async () => {
  const { channel, told } = noted();
  channel.receive(new Uint8Array(CHANNEL_WINDOW_BYTES));
  expect(channel.destroyed).toBe(false);
  channel.receive(A);
  expect(channel.destroyed).toBe(true);
  expect(told).toEqual(["closed"]);
});

test("small pieces are joined while the connection does not take them, and end before the close", async () => {
  const { channel, sent, told, take } = noted();
  channel.resume();
  for (const letter of "abcdef") channel.write(letter);
  channel.end();
  await turn();
  expect([sent, told]).toEqual([["a"], []]);
  take();
  await turn();
  expect([sent, told]).toEqual([["a", "bcdef"], ["closed"]]);
});

test("pieces that the connection does not take are held back where they come from", async () => {
  const { channel, sent } = noted();
  channel.write("a");
  let more = true;
  let written = 0;
  while (more) {
    for (let at = 0; at < 1000; at++) more = channel.write("b");
    written += 1000;
    await turn();
  }
  expect(sent).toEqual(["a"]);
  expect(written).toBeLessThan(256 * 1024);
});

test("a large piece goes as far as the window, and on when the other side has read", async () => {
  const { channel, sent, take } = noted();
  channel.write(Buffer.alloc(CHANNEL_WINDOW_BYTES + 5, "x"));
  channel.write("end");
  await turn();
  take();
  expect(sent.map((one) => one.length)).toEqual([CHANNEL_WINDOW_BYTES]);
  channel.credited(8);
  take();
  expect(sent.slice(1)).toEqual(["xxxxx", "end"]);
});

test("what waits to be sent is let go when the other side closes, and the channel ends", async () => {
  const { channel, told } = noted();
  channel.resume().write(Buffer.alloc(CHANNEL_WINDOW_BYTES + 5));
  channel.closedByPeer();
  await once(channel, "close");
  expect(told).toEqual([]);
});

test("a channel that ended gives what came before, ends, and closes", async () => {
  const { channel, told } = noted();
  channel.receive(A);
  channel.receive(A);
  channel.end();
  await turn();
  expect(told).toEqual(["closed"]);
  const read: Buffer[] = [];
  channel.on("data", (piece: Buffer) => read.push(piece));
  await once(channel, "close");
  expect([Buffer.concat(read).toString(), told]).toEqual(["AA", ["closed"]]);
});
