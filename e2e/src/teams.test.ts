import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { isPrivateAddress } from "@handrail/broker/public-address";
import { testAuthority } from "@handrail/broker/testing/tls-fixture";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startModels, useModel } from "./support/browser-model.ts";
import { eventsOf, runEnd } from "./support/conversations.ts";
import { workingBackends } from "./support/sandbox-kills.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

const SECRET = "value-of-the-secret-of-core";
const backend = workingBackends().includes("docker") ? "docker" : "process";

let directory: string;
let upstream: Server;
let address: string;
let place: string;
let server: TestServer;
let model: ScriptedModel;
/** What requests came with as Authorization. */
const seen: (string | undefined)[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "handrail-teams-"));
  const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map((one) => one.address));
  address = own.find((one) => isIP(one) === 4 && isPrivateAddress(one)) ?? "";
  if (address === "") throw new Error("This machine has no address in a private network.");
  const authority = testAuthority();
  const roots = path.join(directory, "roots.pem");
  writeFileSync(roots, authority.certificate);
  upstream = createServer(authority.serverFor(address), (request, response) => {
    seen.push(request.headers.authorization);
    response.end("reached");
  }).listen(0, address);
  await once(upstream, "listening");
  place = `${address}:${(upstream.address() as AddressInfo).port}`;
  server = await startServer({
    env: { HANDRAIL_TEAMS: "core,web", HANDRAIL_NETWORK_PRIVATE_HOSTS: address, NODE_EXTRA_CA_CERTS: roots },
  });
  // Without a secret for the host its TLS stays closed, and nothing inside knows who signed its certificate.
  const command = `curl -sSk -m 50 https://${place}/; echo " code $?"`;
  model = await startModels([
    {
      name: "reacher",
      turns: [{ calls: [{ tool: "terminal", arguments: { command } }] }],
      otherwise: { text: "Done." },
    },
  ]);
  await useModel(server, model, "reacher");
});
afterAll(async () => {
  await server?.dispose();
  await model?.close();
  upstream?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What the agent's request from a new conversation came to. */
async function reach(teamId?: string) {
  const { id } = await server.client.createConversation({
    body: {
      source: { type: "empty" },
      sandbox: { backend, network: { type: "allow", presets: [], hosts: [] } },
      content: [{ type: "text", text: "Reach out" }],
      ...(teamId === undefined ? {} : { teamId }),
    },
  });
  const { log } = await runEnd(server.client, id, 90_000);
  return { id, said: JSON.stringify(eventsOf(log, "call.ended").map(({ content }) => content)) };
}

test("a team's rule and secret hold in its conversations, and in none of another team or of no team", async () => {
  const { client } = server;
  const [host = "", port] = place.split(":");
  await client.addNetworkRule({ body: { scope: "team", teamId: "core", hosts: [place] } });
  const use = { type: "header" as const, hosts: [{ host, port: Number(port) }] };
  const scope = { type: "team" as const, teamId: "core" };
  await client.saveSecret({ params: { name: "API" }, body: { scope, use, value: SECRET } });

  const first = await reach("core");
  expect(first.said).toContain("reached code 0");
  expect((await client.forkConversation({ params: { id: first.id }, body: {} })).teamId).toBe("core");
  expect(seen).toEqual([`Bearer ${SECRET}`]);
  for (const other of ["web", undefined])
    expect((await reach(other)).said).toContain("CONNECT tunnel failed, response 403");
  expect(seen).toHaveLength(1);

  await client.addNetworkRule({ body: { scope: "owner", hosts: [place] } });
  for (const other of ["web", undefined]) expect((await reach(other)).said).toContain("reached code 0");
  expect(seen.slice(1)).toEqual([undefined, undefined]);

  const { rows } = await client.gatewaySpend({ query: { by: "team" } });
  expect(Object.fromEntries(rows.map(({ group, calls }) => [group, calls]))).toEqual({ "": 4, core: 2, web: 4 });
});
