import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import type { BrokerRecord } from "../broker-record.ts";
import type { HeldSecret } from "../secrets/held-secret.ts";
import type { TrafficLimits } from "../traffic.ts";
import { testBroker } from "../testing/broker-fixture.ts";
import { ask, closedAfterEach, testHttps } from "../testing/tls-fixture.ts";
import { sandboxAuthority } from "./sandbox-authority.ts";

const VALUE = "s3cr3t-value-0123456789";
const closing = closedAfterEach();

/** A broker that opens TLS, a server, and a client's connection to it through CONNECT. */
async function bench(
  requests: { methods: string[]; path: string } | undefined,
  withSecret: boolean,
  limits: Partial<TrafficLimits> = {},
) {
  const upstream = await testHttps("api.example", (request, response) => {
    response.end(request.headers.authorization ?? "none");
  });
  const { port } = upstream;
  closing.push(
    () => upstream.server.closeAllConnections(),
    () => upstream.server.close(),
  );
  const secret: HeldSecret = {
    name: "API",
    value: VALUE,
    placeholder: undefined,
    use: { type: "header", hosts: [{ host: "api.example", port }] },
  };
  const authority = sandboxAuthority();
  const held = withSecret ? [secret] : [];
  const opening = () => ({ authority, secrets: [...held], roots: upstream.roots });
  const reported = Promise.withResolvers<BrokerRecord>();
  const { open } = testBroker({ limits, openWith: async () => opening(), onRequest: reported.resolve });
  const host = `api.example:${port}`;
  const rule =
    requests === undefined
      ? [host]
      : ({ type: "allow", presets: [], hosts: [], requests: [{ host: "api.example", port, ...requests }] } as const);
  const client = open(rule as Parameters<typeof open>[0]);
  client.write(`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  const [told] = (await once(client, "data")) as [Buffer];
  expect(told.toString()).toMatch(/^HTTP\/1\.1 200 /);
  client.pause();
  const secure = connect({ socket: client, servername: "api.example", ca: [authority.certificate, ...upstream.roots] });
  await once(secure, "secureConnect");
  const issuer = secure.getPeerCertificate().issuer.CN;
  return { secure, issuer, host, port, held, reported: reported.promise };
}

test("TLS to a host that nothing asks to open stays closed", async () => {
  const { secure, issuer, host } = await bench(undefined, false);
  expect(issuer).toBe("Test authority");
  expect((await ask(secure, { path: "/", headers: { host } })).body.toString()).toBe("none");
});

test("TLS to a secret's host is opened, and its requests are reported with the secret's name", async () => {
  const { secure, issuer, host, port, reported } = await bench(undefined, true);
  expect(issuer).toMatch(/^Handrail sandbox /);
  const answer = await ask(secure, { path: "/a?b=c", headers: { host } });
  expect(answer.body.toString()).toBe("Bearer [secret API]***********");
  const asked = { conversationId: "c_1", method: "GET", host: "api.example", port, path: "/a", secrets: ["API"] };
  expect(await reported).toMatchObject({ ...asked, allowed: true, rule: `host ${host}` });
});

test("a secret that is changed or removed while a connection is open is put into its next requests as it is then", async () => {
  const { secure, host, held } = await bench(undefined, true);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => secure;
  const told = async () => (await ask(secure, { agent, path: "/", headers: { host } })).body.toString();
  const first = await told();
  held.push(...held.splice(0).map((secret) => ({ ...secret, value: "another-secret-value" })));
  const second = await told();
  held.length = 0;
  expect([first, second, await told()]).toEqual([
    "Bearer [secret API]***********",
    "Bearer [secret API]********",
    "none",
  ]);
});

test("where only kinds of request are allowed, each within the connection is asked for", async () => {
  const { secure, host, reported } = await bench({ methods: ["GET"], path: "/v1/**" }, false);
  const answer = await ask(secure, { path: "/v2/x", headers: { host } });
  expect([answer.status, answer.headers["x-handrail-refused"]]).toEqual([403, "request_not_allowed"]);
  expect(await reported).toMatchObject({ path: "/v2/x", allowed: false, reason: "request_not_allowed", bytesUp: 0 });
});

test("where only kinds of request are allowed, those go through", async () => {
  const { secure, host } = await bench({ methods: ["GET"], path: "/v1/**" }, false);
  expect((await ask(secure, { path: "/v1/x", headers: { host } })).status).toBe(200);
});

test("the limit of requests holds for those within a connection, though its host is allowed as a whole", async () => {
  const { secure, host } = await bench(undefined, true, { requestsPerMinute: 3 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => secure;
  const statuses: (number | undefined)[] = [];
  for (let count = 0; count < 3; count += 1) {
    statuses.push((await ask(secure, { agent, path: "/", headers: { host } })).status);
  }
  expect(statuses).toEqual([200, 200, 429]);
});
