import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Duplex, duplexPair } from "node:stream";
import { connect, TLSSocket } from "node:tls";
import { expect, onTestFinished, test, vi } from "vitest";
import { testBroker } from "../testing/broker-fixture.ts";
import { testHttps } from "../testing/tls-fixture.ts";
import { sandboxAuthority } from "./sandbox-authority.ts";

/** A client that speaks TLS with the broker as `a.example`, over a stream that the test can break on the broker's side. */
async function openedClient(port: number, roots: readonly string[] = []) {
  const host = `a.example:${port}`;
  const authority = sandboxAuthority();
  const secret = {
    name: "API",
    value: "s3cr3t-value-0123456789",
    placeholder: undefined,
    use: { type: "header" as const, hosts: [{ host: "a.example", port }] },
  };
  const { handle, records } = testBroker({ openWith: async () => ({ authority, secrets: [secret], roots }) });
  const [client, ours] = duplexPair();
  onTestFinished(() => void client.destroy());
  handle(ours, [host]);
  client.write(`CONNECT ${host} HTTP/1.1\r\n\r\n`);
  await once(client, "data");
  client.on("error", () => undefined);
  const secure = connect({ socket: client, servername: "a.example", ca: [authority.certificate] });
  secure.on("error", () => undefined);
  return { secure, ours, records };
}

test("a connection that breaks while the host's handshake is under way is written down", async () => {
  const slow = createServer((socket) => socket.on("error", () => undefined).resume());
  slow.listen(0, "127.0.0.1");
  await once(slow, "listening");
  onTestFinished(() => void slow.close());
  const { secure, ours, records } = await openedClient((slow.address() as AddressInfo).port);
  await once(secure, "secureConnect");
  ours.destroy();
  await expect.poll(() => records).toMatchObject([{ method: "CONNECT", host: "a.example", allowed: true }]);
});

/** Calls `work` after so many steps of promises, all of them before Node reads on. */
function soon(steps: number, work: () => void): void {
  queueMicrotask(() => (steps === 0 ? work() : soon(steps - 1, work)));
}

test("the connection to a host whose handshake ends as the client goes is not destroyed while Node reads from it", async () => {
  const upstream = await testHttps("a.example", (_request, response) => void response.end("ok"));
  onTestFinished(() => void upstream.server.close());
  const { secure, ours, records } = await openedClient(upstream.port, upstream.roots);
  const destroyed: string[] = [];
  const emit = vi.spyOn(TLSSocket.prototype, "emit").mockImplementation(function (this: TLSSocket, ...event) {
    const [name]: string[] = event.map(String);
    if (name === "secureConnect" && this !== secure) {
      let when = "while it reads";
      setImmediate(() => (when = "later"));
      vi.spyOn(this, "destroy").mockImplementation((error) => {
        destroyed.push(when);
        return Duplex.prototype.destroy.call(this, error) as TLSSocket;
      });
      soon(20, () => ours.destroy());
    }
    return Duplex.prototype.emit.call(this, ...(event as unknown as [string]));
  });
  onTestFinished(() => emit.mockRestore());
  await expect.poll(() => records.length).toBe(1);
  await expect.poll(() => destroyed.length).toBeGreaterThan(0);
  expect(destroyed).not.toContain("while it reads");
});
