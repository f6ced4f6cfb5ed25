import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { duplexPair } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { portOperations } from "./port-operations.ts";

test("nobody is connected to a port of sandboxd itself, and to another they are", async () => {
  const server = createServer((socket) => socket.on("error", () => undefined).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const asked: string[] = [];
  const connect = async (own: readonly number[]) => {
    const [channel] = duplexPair();
    const openChannel = (ticket: string) => {
      asked.push(ticket);
      return channel;
    };
    const operations = portOperations({ own: new Set(own), openChannel });
    const context = { signal: new AbortController().signal } as Parameters<(typeof operations)["port.connect"]>[1];
    return operations["port.connect"]({ port, ticket: "t" }, context);
  };
  await expect(connect([port])).rejects.toMatchObject({
    code: "port_closed",
    message: expect.stringContaining("own in the sandbox"),
  });
  expect(asked).toEqual([]);
  expect(await connect([])).toEqual({});
  expect(asked).toEqual(["t"]);
});
