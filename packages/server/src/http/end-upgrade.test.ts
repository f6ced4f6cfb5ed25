import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { passes } from "../previews/passes.ts";
import { previewAddress } from "../previews/preview-address.ts";
import { previewServer } from "../previews/preview-server.ts";
import { serverFixture } from "../testing/server-fixture.ts";

async function ofPreviews(): Promise<Server> {
  const server = previewServer({
    address: () => previewAddress("http://127.0.0.1:1"),
    passes: passes(Buffer.alloc(32, 7), Date.now),
    admits: async () => true,
    connect: async () => undefined,
    cookieName: "handrail_preview",
    onFailure: () => undefined,
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function ofPage(): Promise<Server> {
  const fixture = await serverFixture({});
  onTestFinished(() => fixture.close());
  await fixture.listen();
  return fixture.app.server;
}

test.each([
  ["previews", ofPreviews, 401],
  ["the page", ofPage, 400],
])(
  "a connection to the server of %s that is refused another protocol is ended, though who asked holds it open",
  async (_what, start, status) => {
    const server = await start();
    const { port } = server.address() as AddressInfo;
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.on("error", () => undefined);
    client.write("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(String((await once(client, "data"))[0]).slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    const open = () => new Promise<number>((resolve) => void server.getConnections((_error, count) => resolve(count)));
    await expect.poll(open, { timeout: 5000 }).toBe(0);
  },
);
