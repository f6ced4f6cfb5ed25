import { afterEach, beforeEach, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "./testing/server-fixture.ts";

let server: ServerFixture;
beforeEach(async () => {
  server = await serverFixture();
});
afterEach(() => server.close());

test("after a run the metrics count it, its model call and each of its events", async () => {
  const headers = server.bearer;
  const payload = { source: { type: "empty" }, model: "demo", content: [{ type: "text", text: "Say so." }] };
  const made = await server.app.inject({ method: "POST", url: "/api/conversations", headers, payload });
  const url = `/api/conversations/${made.json().id}/events`;
  const types = async () => {
    const { events } = (await server.app.inject({ url, headers })).json();
    return events.map(({ event }: { event: { type: string } }) => event.type) as string[];
  };
  await expect.poll(types).toContain("run.ended");
  const { length } = await types();
  const { body } = await server.app.inject({ url: "/metrics", headers });
  const sumOf = (name: string) =>
    body
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  const names = ["handrail_runs_ended_total", "handrail_model_calls_total", "handrail_events_appended_total"];
  expect(names.map(sumOf)).toEqual([1, 1, length]);
});
