import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { closedAfterEach, testHttps, testOpened } from "../testing/tls-fixture.ts";

const closing = closedAfterEach();

const HOST = "api.example";

async function opened(listener: (request: IncomingMessage, response: ServerResponse) => void) {
  const upstream = await testHttps(HOST, listener);
  const open = testOpened(HOST, upstream, []);
  closing.push(
    () => open.raw.destroy(),
    () => upstream.server.closeAllConnections(),
    () => upstream.server.close(),
  );
  const socket = open.secure();
  await once(socket, "secureConnect");
  socket.on("error", () => undefined);
  return { ...open, socket };
}

const head = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nhost: ${HOST}\r\n${more}\r\n`;
const UPGRADE = "connection: Upgrade\r\nupgrade: websocket\r\n";

test("requests that are sent at once reach the host one after the other, and are answered in their order", async () => {
  let underWay = 0;
  let most = 0;
  const { socket, records, over } = await opened((request, response) => {
    most = Math.max(most, ++underWay);
    setTimeout(() => {
      underWay -= 1;
      response.end(`<${request.url}>`);
    }, 5);
  });
  socket.write(head("/1") + head("/2") + head("/3", "connection: close\r\n"));
  expect((await text(socket)).match(/<[^>]+>/g)).toEqual(["</1>", "</2>", "</3>"]);
  await over;
  expect([most, records.map(({ path, reason }) => [path, reason])]).toEqual([
    1,
    [
      ["/1", undefined],
      ["/2", undefined],
      ["/3", undefined],
    ],
  ]);
});

test.each([
  ["requests", head("/2") + head("/3")],
  ["a WebSocket", head("/2", UPGRADE)],
])(
  "a host that closes behind its answer leaves %s that wait unanswered, and nothing else breaks",
  async (_what, more) => {
    const { socket, records, over } = await opened((request, response) => {
      response.setHeader("connection", "close");
      response.end(`<${request.url}>`);
    });
    socket.write(head("/1") + more);
    const answer = await text(socket).catch(() => "");
    expect(answer.match(/<[^>]+>/g)).toEqual(["</1>"]);
    await over;
    expect(records[0]).toMatchObject({ path: "/1", reason: undefined });
  },
);

test("a client that sends more requests than may wait is cut off, and what waited does not go out", async () => {
  const seen: (string | undefined)[] = [];
  const { socket, records, over } = await opened((request) => void seen.push(request.url));
  socket.write(head("/first"));
  await expect.poll(() => seen).toEqual(["/first"]);
  socket.write(head("/more").repeat(99));
  socket.write(head("/last"));
  await text(socket).catch(() => "");
  await over;
  expect([seen, records.map(({ path }) => path)]).toEqual([["/first"], ["/first"]]);
});
