import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { runFixture } from "./testing/run-fixture.ts";
import { scriptedModel } from "./testing/scripted-model-port.ts";
import { HANGS, report, scriptedSandbox } from "./testing/scripted-sandbox.ts";

const terminal = (command: string) => ({ tool: "terminal", arguments: { command } });
const finish = { tool: "finish", arguments: { summary: "All done." } };

test("a run goes from message to end, with every fact in the log in its order", async () => {
  const sandbox = scriptedSandbox({ "terminal.run": () => report("1 failing", 1) });
  const model = scriptedModel([{ text: "Testing.", calls: [terminal("npm test")] }, { text: "One test fails." }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });

  await fixture.run("run the tests");

  expect((await fixture.log()).map(({ event }) => event.type)).toEqual([
    "conversation.created",
    "message.added",
    "run.started",
    "sandbox.started",
    "workspace.prepared",
    "step.started",
    "step.ended",
    "call.started",
    "call.ended",
    "step.started",
    "step.ended",
    "run.ended",
    "workspace.checkpointed",
  ]);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done", detail: "One test fails." }]);
  expect(sandbox.acknowledged).toEqual((await fixture.events("call.ended")).map((event) => event.callId));
});

test("a command that fails is an answer that the model sees, and the run goes on", async () => {
  const sandbox = scriptedSandbox({ "terminal.run": () => report("1 failing", 1) });
  const model = scriptedModel([{ calls: [terminal("npm test")] }, { calls: [finish] }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });

  await fixture.run("go");

  expect(model.requests[1]?.messages.at(-1)).toEqual({
    role: "tool",
    providerId: "call_1_0",
    tool: "terminal",
    failed: false,
    content: [{ type: "text", text: "1 failing\n[exit 1, in /workspace]" }],
  });
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done", detail: "All done." }]);
});

test("each prompt begins with the one before it, to the byte", async () => {
  const model = scriptedModel([
    { reasoning: "hm", calls: [terminal("a"), { tool: "read", arguments: { path: "x" } }] },
    { text: "more", calls: [terminal("b")] },
    { text: "end" },
  ]);
  const fixture = await runFixture({ model });

  await fixture.run("go");
  await fixture.run("and again");

  const sent = model.requests.map(({ system, tools, messages }) =>
    [system, tools, ...messages].map((part) => JSON.stringify(part)),
  );
  expect(sent).toHaveLength(4);
  for (const [index, later] of sent.slice(1).entries()) {
    const earlier = sent[index] ?? [];
    expect(later.slice(0, earlier.length)).toEqual(earlier);
  }
});

test("a message sent while the agent works is read at the next step, after the results", async () => {
  const sandbox = scriptedSandbox({
    "terminal.run": async () => {
      await fixture.say("use tabs");
      return report("ok");
    },
  });
  const model = scriptedModel([{ calls: [terminal("make")] }, { text: "With tabs." }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });

  await fixture.run("format it");

  const roles = model.requests[1]?.messages.map((message) => message.role);
  expect(roles).toEqual(["user", "assistant", "tool", "user"]);
  expect(await fixture.events("run.ended")).toHaveLength(1);
});

test("a message that comes with the last word keeps the run going", async () => {
  const model = scriptedModel([{ calls: [finish] }, { text: "Also done." }]);
  const fixture = await runFixture({ model });
  const off = fixture.journal.onEvents((events) => {
    if (!events.some(({ event }) => event.type === "step.ended")) return;
    off();
    said = fixture.say("one more thing");
  });
  let said: Promise<void> = Promise.resolve();

  await fixture.run("go");
  await said;

  expect(model.requests).toHaveLength(2);
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done", detail: "Also done." }]);
});

test("a question ends the run as asked, and the answer starts the next", async () => {
  const question = { tool: "ask", arguments: { question: "Which port?", choices: ["80", "8080"] } };
  const model = scriptedModel([{ calls: [question] }, { text: "Port 80 it is." }]);
  const fixture = await runFixture({ model });

  await fixture.run("start it");
  await fixture.run("80");

  expect(await fixture.events("run.ended")).toMatchObject([
    { outcome: "asked", detail: "Which port?" },
    { outcome: "done", detail: "Port 80 it is." },
  ]);
});

test("reads of one answer go together; a command waits for its turn", async () => {
  const order: string[] = [];
  const bothStarted = Promise.withResolvers<void>();
  const sandbox = scriptedSandbox({
    "search.content": async () => {
      order.push("search starts");
      if (order.length === 2) bothStarted.resolve();
      await bothStarted.promise;
      order.push("search ends");
      return { text: "", matches: 0, files: 0, more: false };
    },
    "terminal.run": async () => (order.push("command"), report("ok")),
  });
  const search = { tool: "search", arguments: { pattern: "x" } };
  const model = scriptedModel([{ calls: [search, search, terminal("make")] }, { text: "done" }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });

  await fixture.run("go");

  expect(order).toEqual(["search starts", "search starts", "search ends", "search ends", "command"]);
});

test("the repository's instructions are in the prompt from the first step", async () => {
  const file = { path: "CLAUDE.md", hash: "h", size: 9, fromLine: 1, lines: 1, totalLines: 1, cutLines: 0 };
  const sandbox = scriptedSandbox({
    "file.read": ({ path }) => {
      if (path !== "CLAUDE.md") throw new AppError("path_missing", "no");
      return { ...file, text: "Use tabs.\n" };
    },
  });
  const model = scriptedModel([{ text: "Tabs." }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });

  await fixture.run("go");

  expect(model.requests[0]?.system).toMatch(/Instructions from CLAUDE\.md in the repository:\n\nUse tabs\.$/);
});

test("a stop during a model call keeps what was said, and ends the run as cancelled", async () => {
  const model = scriptedModel([{ text: "Let me think about", hang: true }]);
  const fixture = await runFixture({ model });
  await fixture.say("go");
  const driven = fixture.drive();
  await expect.poll(() => fixture.deltas.length).toBeGreaterThan(0);

  fixture.stop.abort(new Error("stopped"));
  await driven;

  expect(await fixture.events("step.ended", "run.ended")).toMatchObject([
    { finish: "cancelled", content: [{ type: "text", text: "Let me think about" }] },
    { outcome: "cancelled" },
  ]);
});

test("a stop during a command ends the command, the call and the run", async () => {
  const sandbox = scriptedSandbox({ "terminal.run": () => HANGS });
  const model = scriptedModel([{ calls: [terminal("sleep 1000"), terminal("never")] }]);
  const fixture = await runFixture({ model, sandboxes: [sandbox] });
  await fixture.say("go");
  const driven = fixture.drive();
  await expect.poll(() => sandbox.ran).toContain("terminal.run sleep 1000");

  fixture.stop.abort(new Error("stopped"));
  await driven;

  expect((await fixture.events("call.ended")).map((event) => event.outcome)).toEqual(["cancelled", "cancelled"]);
  expect(sandbox.ran).not.toContain("terminal.run never");
  expect(fixture.journal.state.run).toBeNull();
});
