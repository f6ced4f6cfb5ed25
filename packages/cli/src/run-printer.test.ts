import { expect, test } from "vitest";
import { RunPrinter } from "./run-printer.ts";
import { capturedScreen } from "./testing/captured-screen.ts";
import { RECORDED_RUN } from "./testing/recorded-run.ts";

const STEP = "s_0123456789abcdefghj1";

test("a run is told line by line, without what a model or a tool could do to a terminal", () => {
  const screen = capturedScreen();
  const printer = new RunPrinter(screen);
  for (const stored of RECORDED_RUN) printer.event(stored);
  printer.end();
  expect(screen.written).toEqual({
    err: "",
    out: `c_0123456789abcdefghjk  /home/me/project  model m

> Fix the test.
  workspace ready: 1 file
  sandbox docker started in 420 ms
  try 1 of 5 failed (model_overloaded): The model is overloaded. Next try in 2.0 s.

I run the tests first.
  - $ npm test echo done  exit 1, 2.3 s
  + read src/sum.ts  12 lines, 4 ms
  + edit src/sum.ts  +1 -1, 3 ms
  - edit ../x  failed: The path is outside of the workspace., 1 ms
  limit reached: 2 steps for this run

Stopped at a limit: The run took 2 steps, which is its limit.
14.0 s, 2 steps, 2,040 tokens, $0.0250
`,
  });
});

test("on a terminal text appears as it streams, each piece once, and the step's end adds what was missed", () => {
  const screen = capturedScreen(true);
  const printer = new RunPrinter(screen);
  const upTo = (type: string) => RECORDED_RUN.findIndex(({ event }) => event.type === type);
  const delta = (offset: number, text: string) => printer.delta({ type: "text.delta", stepId: STEP, offset, text });
  delta(0, "I run ");
  delta(0, "I run ");
  delta(3, "un the ");
  delta(12, "lost");
  printer.event(RECORDED_RUN[upTo("step.ended")]!);
  expect(screen.written.out).toBe("\nI run the tests first.\n");
});

test("an attempt that is given up is said, and its text comes again", () => {
  const screen = capturedScreen(true);
  const printer = new RunPrinter(screen);
  printer.delta({ type: "text.delta", stepId: STEP, offset: 0, text: "Half a" });
  printer.delta({ type: "step.reset", stepId: STEP });
  printer.delta({ type: "text.delta", stepId: STEP, offset: 0, text: "The whole" });
  expect(screen.written.out).toBe("\nHalf a\n  (the model starts this step again)\n\nThe whole");
});

test("the status line is written over by what comes next", () => {
  const screen = capturedScreen(true);
  const printer = new RunPrinter(screen);
  printer.delta({ type: "progress.delta", text: "Pulling image" });
  printer.delta({ type: "progress.delta", text: "Starting\x1b[2J" });
  printer.end();
  expect(screen.written.out).toBe("  . Pulling image\r\x1b[2K  . Starting\r\x1b[2K");
});

test("an answer that was just read is not said again at the end", () => {
  const screen = capturedScreen();
  const printer = new RunPrinter(screen);
  const runId = "r_0123456789abcdefghjk";
  const step = RECORDED_RUN.find(({ event }) => event.type === "step.ended")!.event;
  if (step.type !== "step.ended") throw new Error("no step");
  printer.event({ seq: 0, at: 0, event: { ...step, content: [{ type: "text", text: "All is well." }] } });
  printer.event({ seq: 1, at: 5, event: { type: "run.ended", runId, outcome: "done", detail: "All is well." } });
  expect(screen.written.out).toBe("\nAll is well.\n\nDone\n5 ms\n");
});
