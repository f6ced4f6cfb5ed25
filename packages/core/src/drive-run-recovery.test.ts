import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { runFixture } from "./testing/run-fixture.ts";
import { scriptedModel } from "./testing/scripted-model-port.ts";
import { HANGS, report, scriptedSandbox } from "./testing/scripted-sandbox.ts";

const terminal = (command: string) => ({ tool: "terminal", arguments: { command } });

test("a run whose process left during a command goes on in another, and the command runs once", async () => {
  const blocked = Promise.withResolvers<void>();
  const sandbox = scriptedSandbox({ "terminal.run": () => blocked.promise.then(() => report("built")) });
  const first = await runFixture({
    model: scriptedModel([{ calls: [terminal("make")] }]),
    sandboxes: [sandbox],
  });
  await first.say("build");
  const driven = first.drive();
  await expect.poll(() => sandbox.ran).toContain("terminal.run make");
  first.leave.abort(new Error("the server goes"));
  await driven;

  const second = await first.successor({ model: scriptedModel([{ text: "Built." }]), sandboxes: [sandbox] });
  const resumed = second.drive();
  blocked.resolve();
  await resumed;

  expect(sandbox.ran.filter((line) => line === "terminal.run make")).toHaveLength(1);
  expect((await second.events("call.ended")).map((event) => event.outcome)).toEqual(["ok"]);
  expect((await second.events("run.resumed", "run.ended")).map((event) => event.type)).toEqual([
    "run.resumed",
    "run.ended",
  ]);
  expect((await second.log()).map(({ seq }) => seq)).toEqual((await second.log()).map((_, index) => index));
});

test("a connection that is closed because the server stops does not make a lost call", async () => {
  const closed = Promise.withResolvers<void>();
  const sandbox = scriptedSandbox({ "terminal.run": () => closed.promise.then(() => report("never")) });
  const first = await runFixture({ model: scriptedModel([{ calls: [terminal("make")] }]), sandboxes: [sandbox] });
  await first.say("build");
  const driven = first.drive();
  await expect.poll(() => sandbox.ran).toContain("terminal.run make");
  first.leave.abort(new Error("the server goes"));
  await driven;
  closed.reject(new AppError("sandbox_gone", "The server let go of the sandbox."));
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  expect(await first.events("call.ended", "sandbox.lost")).toEqual([]);
});

test("a run whose process left during a model call asks the model again", async () => {
  const first = await runFixture({ model: scriptedModel([{ text: "thinking", hang: true }]) });
  await first.say("go");
  const driven = first.drive();
  await expect.poll(() => first.deltas.length).toBeGreaterThan(0);
  first.leave.abort(new Error("the server goes"));
  await driven;
  expect(first.journal.state.run?.step).not.toBeNull();

  const second = await first.successor({ model: scriptedModel([{ text: "Done." }]) });
  await second.drive();

  expect(await second.events("step.ended")).toMatchObject([{ content: [{ type: "text", text: "Done." }] }]);
  expect(await second.events("run.ended")).toMatchObject([{ outcome: "done" }]);
});

test("a call that went to a sandbox that is gone ends as lost, the model is told, and it is not made again", async () => {
  const sandbox = scriptedSandbox({ "terminal.run": () => HANGS });
  const first = await runFixture({
    model: scriptedModel([{ calls: [terminal("deploy")] }]),
    sandboxes: [sandbox],
  });
  await first.say("deploy");
  const driven = first.drive();
  await expect.poll(() => sandbox.ran).toContain("terminal.run deploy");
  first.leave.abort(new Error("the server goes"));
  await driven;

  const fresh = scriptedSandbox({}, "boot-2");
  const model = scriptedModel([{ text: "I will look." }]);
  const second = await first.successor({ model, sandboxes: [fresh] });
  await second.drive();

  expect(fresh.ran).not.toContain("terminal.run deploy");
  expect(await second.events("call.ended")).toMatchObject([{ outcome: "lost", errorCode: "call_lost" }]);
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("look before you repeat it");
  expect((await second.events("sandbox.lost", "sandbox.started")).map((event) => event.type)).toEqual([
    "sandbox.started",
    "sandbox.lost",
    "sandbox.started",
  ]);
});

test("a sandbox that dies under a command costs that call, and the run goes on in a new one", async () => {
  const dying = scriptedSandbox({ "terminal.run": () => HANGS });
  const fresh = scriptedSandbox({}, "boot-2");
  const model = scriptedModel([{ calls: [terminal("kill -9 1")] }, { calls: [terminal("ls")] }, { text: "Back." }]);
  const fixture = await runFixture({ model, sandboxes: [dying, fresh] });
  await fixture.say("go");
  const driven = fixture.drive();
  await expect.poll(() => dying.ran).toContain("terminal.run kill -9 1");

  dying.lose();
  await driven;

  expect((await fixture.events("call.ended")).map((event) => event.outcome)).toEqual(["lost", "ok"]);
  expect(fresh.ran).toContain("terminal.run ls");
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "done", detail: "Back." }]);
});

test("a failure that nobody foresaw ends the run, and the server is told what it was", async () => {
  const bug = new TypeError("a bug");
  const sandbox = scriptedSandbox({ "terminal.run": () => Promise.reject(bug) });
  const fixture = await runFixture({ model: scriptedModel([{ calls: [terminal("make")] }]), sandboxes: [sandbox] });
  await fixture.run("build");
  expect(await fixture.events("run.ended")).toMatchObject([{ outcome: "failed", errorCode: "internal" }]);
  expect(fixture.unforeseen).toMatchObject([{ code: "internal", cause: bug }]);
});

test("driving when no run is under way does nothing", async () => {
  const fixture = await runFixture({ model: scriptedModel([]) });
  await fixture.drive();
  expect((await fixture.log()).map(({ event }) => event.type)).toEqual(["conversation.created"]);
});

test("a sandbox that dies while it is opened is opened again; a backend that is no good fails the run", async () => {
  const failing = (code: "sandbox_gone" | "image_unavailable", times: number) => {
    let left = times;
    return scriptedSandbox({
      "workspace.begin": () => {
        if (left-- > 0) throw new AppError(code, "It died.");
        return { tree: "t0", files: 0, bytes: 0 };
      },
    });
  };
  const passing = await runFixture({
    model: scriptedModel([{ text: "Hi." }]),
    sandboxes: [failing("sandbox_gone", 2)],
  });
  await passing.run("go");
  const hopeless = await runFixture({ model: scriptedModel([]), sandboxes: [failing("image_unavailable", 9)] });
  await hopeless.run("go");

  expect(await passing.events("run.ended")).toMatchObject([{ outcome: "done" }]);
  expect(await hopeless.events("run.ended")).toMatchObject([{ outcome: "failed", errorCode: "image_unavailable" }]);
});
