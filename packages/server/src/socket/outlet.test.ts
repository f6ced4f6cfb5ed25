import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SOCKET_CLOSE } from "@handrail/protocol/socket";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { outletOf } from "./outlet.ts";

const KIBIBYTE = 1024;
const limits = { behindBytes: 64 * KIBIBYTE, tooSlowBytes: 512 * KIBIBYTE };
const BODY = "x".repeat(64 * KIBIBYTE);

/** Both ends of one socket. The client keeps the first word of each frame. */
async function pair() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close());
  await once(server, "listening");
  const accepted = once(server, "connection");
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => client.terminate());
  const received: string[] = [];
  client.on("message", (data: Buffer) => received.push(data.toString().split(" ")[0] ?? ""));
  const closed = once(client, "close").then(([code]) => code as number);
  await once(client, "open");
  const [socket] = (await accepted) as [WebSocket];
  return { client, socket, outlet: outletOf(socket, limits), received, closed };
}

test("a client that is behind misses what may be left out, and nothing else", async () => {
  const { client, outlet, received } = await pair();
  const sent: string[] = [];
  const send = (name: string) => {
    sent.push(name);
    outlet.send(`${name} ${BODY}`);
  };
  outlet.sendIfQuick("early");
  client.pause();
  while (!outlet.behind) send(`event-${sent.length}`);
  outlet.sendIfQuick("late");
  send("last");
  client.resume();
  await expect.poll(() => received.at(-1)).toBe("last");
  expect(received).toEqual(["early", ...sent]);
});

test("a client that is far behind is closed as too slow, after a whole beginning of what was sent", async () => {
  const { client, socket, outlet, received, closed } = await pair();
  client.pause();
  const sent: string[] = [];
  while (socket.readyState === socket.OPEN) {
    sent.push(`event-${sent.length}`);
    outlet.send(`event-${sent.length - 1} ${BODY}`);
  }
  client.resume();
  expect(await closed).toBe(SOCKET_CLOSE.tooSlow);
  await expect.poll(() => outlet.closed.aborted).toBe(true);
  expect(received).toEqual(sent.slice(0, -1));
});
