import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { passes } from "./passes.ts";
import { previewAddress } from "./preview-address.ts";
import { previewServer } from "./preview-server.ts";

test("a connection that is refused another protocol is ended, though who asked holds it open", async () => {
  const server = previewServer({
    address: () => previewAddress("http://127.0.0.1:1"),
    passes: passes(Buffer.alloc(32, 7), Date.now),
    admits: async () => true,
    connect: async () => undefined,
    cookieName: "handrail_preview",
    onFailure: () => undefined,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  client.on("error", () => undefined);
  client.write("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  expect(String((await once(client, "data"))[0])).toMatch(/^HTTP\/1\.1 401 /);
  const open = () => new Promise<number>((resolve) => void server.getConnections((_error, count) => resolve(count)));
  await expect.poll(open, { timeout: 5000 }).toBe(0);
});
