import { afterEach, beforeEach, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "../../testing/server-fixture.ts";

let server: ServerFixture;
beforeEach(async () => {
  server = await serverFixture();
});
afterEach(() => server.close());

const metrics = async () => (await server.app.inject({ url: "/metrics", headers: server.bearer })).body;

test("asking for the numbers does not open the gateway", async () => {
  expect(await metrics()).not.toContain("litellm_");
  expect(server.state.gateway.opened()).toBe(undefined);
});

test("once the gateway has been needed its numbers follow the server's, and no name is there twice", async () => {
  const address = `http://${await server.listen()}`;
  const answer = await fetch(`${address}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer sk-nobody", "content-type": "application/json" },
    body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "Hello" }] }),
  });
  expect(answer.status).toBe(401);
  const text = await metrics();
  expect(text).toMatch(/^litellm_proxy_failed_requests_metric_total\{.*exception_status="401".*\} 1$/m);
  expect(text).toMatch(/^litellm_in_flight_requests 0$/m);
  expect(text).toMatch(/^handrail_runs_waiting|^process_cpu_seconds_total/m);
  const names = text.match(/(?<=^# TYPE )\S+/gm) ?? [];
  expect(names.length).toBe(new Set(names).size);
});
