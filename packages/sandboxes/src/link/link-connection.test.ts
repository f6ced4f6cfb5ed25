import { duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { encodeFrame } from "@handrail/protocol/sandboxd/frames";
import type { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";
import { expect, onTestFinished, test, vi } from "vitest";
import { frameOf, WELCOME } from "../testing/sandboxd-frames.ts";
import { LinkConnection } from "./link-connection.ts";

/** A connection to a sandbox that the test plays; it takes what it is told only when its end is read. */
async function greeted() {
  const [near, far] = duplexPair();
  const heard: string[] = [];
  let broken = false;
  const connection = new LinkConnection(near, {
    onMessage: (message) => heard.push(message.id),
    onEgress: (stream) => stream.destroy(),
    onPort: (_ticket, stream) => stream.destroy(),
    onBroken: () => (broken = true),
  });
  onTestFinished(() => connection.close());
  far.write(frameOf(WELCOME));
  await connection.greet("");
  return { near, far, heard, isBroken: () => broken };
}

const status = (id: string): FromSandboxd => ({ type: "status", id, state: "running" });

test("however much a sandbox says at once, others have their turn, and all of it is heard in order", async () => {
  const { far, heard } = await greeted();
  const ids = Array.from({ length: 60_000 }, (_, index) => `i${index}`);
  const all = Buffer.concat(ids.map((id) => frameOf(status(id))));
  far.write(all);
  let turns = 0;
  for (; heard.length < ids.length; turns++) await turn();
  expect(heard).toEqual(ids);
  expect(turns).toBeGreaterThan(4);
});

test("a sandbox that does not read what it is answered is not heard until it does", async () => {
  const { near, far, heard } = await greeted();
  const opens = Array.from({ length: 20_000 }, (_, index) =>
    frameOf({ type: "channel.open", channel: index + 1, kind: "egress" }),
  );
  for (const open of opens) far.write(open);
  far.write(frameOf(status("last")));
  for (let at = 0; at < 200; at++) await turn();
  expect(near.writableLength).toBeLessThan(256 * 1024);
  expect(heard).toEqual([]);
  far.resume();
  await expect.poll(() => heard).toEqual(["last"]);
});

test("what is no message ends the connection", async () => {
  const { far, near, isBroken } = await greeted();
  far.write(encodeFrame({ channel: 0, payload: Buffer.from("{") }));
  await expect.poll(isBroken).toBe(true);
  expect(near.destroyed).toBe(true);
});

test("a sandbox is given up when it was silent for long, and not when the clock was set", async () => {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { near, far } = await greeted();
  for (const hours of [1, -2]) {
    vi.setSystemTime(Date.now() + hours * 3_600_000);
    vi.advanceTimersByTime(20_000);
    expect(near.destroyed).toBe(false);
    far.write(frameOf({ type: "pong", id: "ping" }));
    await turn();
  }
  vi.advanceTimersByTime(70_000);
  expect(near.destroyed).toBe(true);
});
