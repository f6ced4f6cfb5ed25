import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { isPrivateAddress } from "@handrail/broker/public-address";
import type { Script } from "@handrail/scripted-model/script";
import { expect, test } from "vitest";
import { eventsOf, readLog } from "./support/conversations.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { workingBackends } from "./support/sandbox-kills.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

/** Of this machine in a private network: a sandbox reaches it where the operator names it. */
const address = Object.values(networkInterfaces())
  .flatMap((found) => found ?? [])
  .map((found) => found.address)
  .find((one) => isPrivateAddress(one) && !one.includes(":"));
const [backend] = workingBackends();

const HELD_BYTES = 5000;

/** A host that answers at once, save for `/held`: that it begins to answer and never ends. */
async function host(at: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/held") response.write("x".repeat(HELD_BYTES));
    else response.end("ok");
  });
  server.listen(0, at);
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { asked, port: (server.address() as AddressInfo).port, close };
}

const PROXY = "curl -s --noproxy '' -x http://127.0.0.1:3128 -o /dev/null";

function script(name: string, place: string): Script {
  const command = [
    `${PROXY} http://${place}/quick`,
    `${PROXY} http://${place}/held &`,
    `${PROXY} http://not-allowed.test/refused`,
    "wait",
  ].join("\n");
  const call = { calls: [{ tool: "terminal", arguments: { command, timeout_seconds: 300 } }] };
  return { name, turns: [call], otherwise: { text: "Done." } };
}

const recordsOf = async (server: TestServer, id: string) =>
  eventsOf(await readLog(server.client, id), "network.recorded")
    .flatMap(({ requests }) => requests)
    .map(({ at, durationMs, ...rest }) => ({ ...rest, timed: at > 0 && durationMs >= 0 }));

if (address === undefined || backend === undefined)
  process.stdout.write(
    "Skipped: requests are let out to a private address of this machine, from a sandbox; one is missing.\n",
  );

test.skipIf(address === undefined || backend === undefined)(
  "each request that was let out or refused is in the conversation once, though the server is killed at once, twice",
  async () => {
    const target = await host(address ?? "");
    const place = `${address}:${target.port}`;
    const { model, env } = await scriptedEnvironment(script("requests", place));
    let server = await startServer({ env: { ...env, HANDRAIL_NETWORK_PRIVATE_HOSTS: address ?? "" } });
    try {
      const { id } = await server.client.createConversation({
        body: {
          source: { type: "empty" },
          sandbox: { backend: backend ?? "process", network: { type: "allow", presets: [], hosts: [place] } },
          content: [{ type: "text", text: "go" }],
        },
      });
      await expect
        .poll(async () => eventsOf(await readLog(server.client, id), "network.asked").length, { timeout: 60_000 })
        .toBe(1);
      await expect.poll(() => target.asked, { timeout: 60_000 }).toEqual(["/quick", "/held"]);
      const spool = path.join(server.home, "network.spool");
      await expect.poll(() => readFile(spool, "utf8"), { timeout: 60_000 }).toContain('"path":"/refused"');
      await server.crash();
      server = await server.restart();
      await server.crash();
      server = await server.restart();
      await expect.poll(async () => (await recordsOf(server, id)).length, { timeout: 60_000 }).toBeGreaterThan(2);
      const common = { method: "GET", timed: true };
      const letOut = { ...common, host: address, port: target.port, allowed: true, rule: `host ${place}` };
      expect(await recordsOf(server, id)).toEqual([
        { ...letOut, path: "/quick", bytesUp: expect.any(Number), bytesDown: expect.any(Number) },
        {
          ...common,
          host: "not-allowed.test",
          port: 80,
          path: "/refused",
          allowed: false,
          reason: "host_not_allowed",
          bytesUp: 0,
          bytesDown: 0,
        },
        { ...letOut, path: "/held", reason: "cut", bytesUp: expect.any(Number), bytesDown: expect.any(Number) },
      ]);
    } finally {
      await server.dispose();
      await model.close();
      target.close();
    }
  },
);
