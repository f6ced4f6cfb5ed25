import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { runFixture } from "./testing/run-fixture.ts";
import { scriptedModel, type ScriptedTurn } from "./testing/scripted-model-port.ts";
import { HANGS, report, scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const terminal = (command: string) => ({ tool: "terminal", arguments: { command } });
const limited = new AppError("model_rate_limited", "Too many requests.", { retryAfterMs: 7000 });
const broken = new AppError("model_stream_broken", "The stream stopped before its end.");

test("failures that may pass are tried again, each visible, waiting as long as the provider asks", async () => {
  const model = scriptedModel([{ error: limited }, { text: "half an ans", error: broken }, { text: "Done." }]);
  const fixture = await runFixture({ model });

  await fixture.run("go");

  expect(await fixture.events("step.retried")).toMatchObject([
    { attempt: 1, delayMs: 7000, errorCode: "model_rate_limited" },
    { attempt: 2, delayMs: 2000, errorCode: "model_stream_broken" },
  ]);
  expect(await fixture.events("step.ended")).toMatchObject([{ content: [{ type: "text", text: "Done." }] }]);
  expect(fixture.deltas.filter((delta) => delta.type === "step.reset")).toHaveLength(2);
});

test("a provider that stays down ends the run as failed, with its code", async () => {
  const model = scriptedModel(Array.from({ length: 9 }, () => ({ error: broken })));
  const fixture = await runFixture({ model, clock: testClock({ skipUpToMs: 100_000 }) });

  await fixture.run("go");

  expect(model.requests).toHaveLength(6);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "failed", errorCode: "model_stream_broken" }]);
});

test.each(["model_unauthorized", "context_overflow", "model_rejected"] as const)(
  "%s is not tried again: the run fails and says so",
  async (code) => {
    const model = scriptedModel([{ error: new AppError(code, "No.") }]);
    const fixture = await runFixture({ model });

    await fixture.run("go");

    expect(model.requests).toHaveLength(1);
    expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "failed", errorCode: code, detail: "No." }]);
  },
);

test.each([
  { problem: "cut-off arguments", call: { tool: "terminal", arguments: '{"command":"ls' }, code: "tool_arguments" },
  { problem: "a wrong type", call: { tool: "read", arguments: { path: 7 } }, code: "tool_arguments" },
  { problem: "a key that is not there", call: { tool: "read", arguments: { file: "a" } }, code: "tool_arguments" },
  { problem: "an unknown tool", call: { tool: "browse", arguments: {} }, code: "tool_unknown" },
])("$problem: the model is told, nothing runs, and the run goes on", async ({ call, code }) => {
  const sandbox = scriptedSandbox();
  const fixture = await runFixture({
    model: scriptedModel([{ calls: [call] }, { text: "Sorry." }]),
    sandboxes: [sandbox],
  });

  await fixture.run("go");

  expect(await fixture.events("call.ended")).toMatchObject([{ outcome: "error", errorCode: code }]);
  expect(sandbox.ran.filter((line) => /^(terminal|search)/.test(line))).toEqual([]);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done" }]);
});

test("an empty answer is pointed out twice; the third ends the run", async () => {
  const model = scriptedModel([{}, {}, {}, { text: "never asked" }]);
  const fixture = await runFixture({ model });

  await fixture.run("go");

  expect(model.requests).toHaveLength(3);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "failed", errorCode: "model_empty" }]);
});

test("an answer cut at the output cap goes on in the next step", async () => {
  const model = scriptedModel([{ text: "A long", finish: "length" }, { text: " story." }]);
  const fixture = await runFixture({ model });

  await fixture.run("tell");

  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain("cut off at the output limit");
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done", detail: " story." }]);
});

test("a refusal is shown to the user as the end of the run", async () => {
  const fixture = await runFixture({ model: scriptedModel([{ text: "I will not.", finish: "refusal" }]) });

  await fixture.run("go");

  expect(await fixture.events("run.ended")).toMatchObject([
    { outcome: "failed", errorCode: "model_refused", detail: "The model refused to go on: I will not." },
  ]);
});

test("going in circles is told to the model first, and then stops the run as asked", async () => {
  const again: ScriptedTurn = { calls: [terminal("make")] };
  const model = scriptedModel(Array.from({ length: 20 }, () => again));
  const fixture = await runFixture({ model });

  await fixture.run("go");

  expect((await fixture.events("stuck.detected")).map(({ pattern, action }) => [pattern, action])).toEqual([
    ["repeat", "told"],
    ["repeat", "stopped"],
  ]);
  expect(model.requests).toHaveLength(8);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "asked" }]);
});

test("waiting for a long command is not going in circles", async () => {
  const wait = { tool: "terminal", arguments: { timeout_seconds: 5 } };
  const sandbox = scriptedSandbox({ "terminal.wait": () => report("", null, true) });
  const model = scriptedModel([...Array.from({ length: 8 }, () => ({ calls: [wait] })), { text: "Done." }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });

  await fixture.run("go");

  expect(await fixture.events("stuck.detected")).toEqual([]);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done" }]);
});

test.each([
  { limits: { maxSteps: 2 }, limit: "maxSteps", steps: 2 },
  { limits: { maxCostUsd: 0.042 }, limit: "maxCostUsd", steps: 2 },
  { limits: { maxTokens: 2000 }, limit: "maxTokens", steps: 1 },
])("$limit stops the run before the step that would pass it", async ({ limits, limit, steps }) => {
  const turn = (name: string) => ({
    calls: [terminal(name)],
    costUsd: 0.02,
    usage: { inputTokens: 900, outputTokens: 100 },
  });
  const model = scriptedModel(["a", "b", "c", "d"].map(turn));
  const fixture = await runFixture({ model, runLimits: limits });

  await fixture.run("go");

  expect(model.requests).toHaveLength(steps);
  expect(await fixture.events("limit.reached")).toMatchObject([{ scope: "run", limit }]);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "limited" }]);
});

test("a limit of the conversation counts all its runs", async () => {
  const fixture = await runFixture({
    model: scriptedModel([{ text: "one" }, { text: "two" }, { text: "three" }]),
    limits: { maxSteps: 2 },
  });

  for (const text of ["a", "b", "c"]) await fixture.run(text);

  expect(await fixture.events("limit.reached")).toMatchObject([{ scope: "conversation", limit: "maxSteps" }]);
  expect((await fixture.events("run.ended")).map((event) => event.outcome)).toEqual(["done", "done", "limited"]);
});

test("the answer's cap is cut to what the money left pays for", async () => {
  const model = scriptedModel([{ text: "short" }]);
  const fixture = await runFixture({ model, runLimits: { maxCostUsd: 0.01 } });

  await fixture.run("go");

  const cap = model.requests[0]?.maxOutputTokens ?? 0;
  expect(cap).toBeGreaterThan(256);
  expect(cap).toBeLessThanOrEqual(2000);
});

test("a cost limit that cannot hold for want of a price is said aloud", async () => {
  const model = scriptedModel([{ text: "ok" }], { price: () => undefined });
  const fixture = await runFixture({ model, runLimits: { maxCostUsd: 1 } });

  await fixture.run("go");

  expect(await fixture.events("notice.added")).toMatchObject([{ audience: "user", code: "cost_unknown" }]);
});

test("the time limit cuts a command short and ends the run as limited", async () => {
  const clock = testClock();
  const sandbox = scriptedSandbox({ "terminal.run": () => HANGS });
  const model = scriptedModel([{ calls: [terminal("sleep 9999")] }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox], runLimits: { maxTimeMs: 60_000 }, clock });
  await fixture.say("go");
  const driven = fixture.drive();
  await expect.poll(() => sandbox.ran).toContain("terminal.run sleep 9999");

  clock.advance(60_000);
  await driven;

  expect(await fixture.events("call.ended", "limit.reached", "run.ended")).toMatchObject([
    { outcome: "cancelled" },
    { limit: "maxTimeMs", value: 60_000 },
    { outcome: "limited", detail: "The time limit of this run is reached: 60 s of 60 s." },
  ]);
  expect(fixture.unforeseen).toEqual([]);
});
