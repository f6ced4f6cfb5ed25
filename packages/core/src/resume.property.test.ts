import type { ConversationEvent } from "@handrail/protocol/events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runFixture } from "./testing/run-fixture.ts";
import { scriptedModel, type ScriptedTurn } from "./testing/scripted-model-port.ts";
import { report, scriptedSandbox } from "./testing/scripted-sandbox.ts";

const STEPS = 6;

/** A model that answers by the number of its answers so far in the prompt, as the scripted model program does. */
function statelessModel() {
  const turns: ScriptedTurn[] = Array.from({ length: STEPS }, (_, index) => ({
    calls: [{ tool: "terminal", arguments: { command: `echo ${index}` } }],
  }));
  const plain = scriptedModel([]);
  return {
    ...plain,
    stream(request: Parameters<typeof plain.stream>[0], signal: AbortSignal) {
      const answered = request.messages.filter((message) => message.role === "assistant").length;
      return scriptedModel([turns[answered] ?? { text: "Done." }]).stream(request, signal);
    },
  };
}

/** What a run comes to, without ids and times: the same however often its process was killed on the way. */
function essence(events: readonly ConversationEvent[]) {
  return events.flatMap((event) => {
    if (event.type === "call.ended") return [`call ${event.outcome} ${JSON.stringify(event.content)}`];
    if (event.type === "step.ended") return [`step ${event.finish}`];
    return event.type === "run.ended" ? [`run ${event.outcome}`] : [];
  });
}

test("a run whose process leaves at any events comes to the same, and no command runs twice", async () => {
  const whole = await runFixture({ model: statelessModel() });
  await whole.run("go");
  const expected = essence((await whole.log()).map(({ event }) => event));

  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 3, max: 30 }), { maxLength: 6 }), async (leaveAt) => {
      const sandbox = scriptedSandbox({ "terminal.run": ({ command }) => report(`ran ${String(command)}`) });
      let fixture = await runFixture({ model: statelessModel(), sandboxes: [sandbox] });
      await fixture.say("go");
      for (const seq of leaveAt.toSorted((left, right) => left - right)) {
        const { journal, leave } = fixture;
        journal.onEvents((events) => {
          if (events.some((stored) => stored.seq >= seq)) leave.abort(new Error("killed"));
        });
        await fixture.drive();
        fixture = await fixture.successor({ sandboxes: [sandbox] });
      }
      await fixture.drive();

      const log = await fixture.log();
      expect(log.map((stored) => stored.seq)).toEqual(log.map((_, index) => index));
      expect(essence(log.map(({ event }) => event))).toEqual(expected);
      const commands = sandbox.ran.filter((line) => line.startsWith("terminal.run"));
      expect(commands).toEqual(Array.from({ length: STEPS }, (_, index) => `terminal.run echo ${index}`));
    }),
    { numRuns: 60 },
  );
});
