import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { acquireSandbox } from "./acquire-sandbox.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const opened = { sandboxId: "x_1" } as Sandbox;

/** What comes of attempts that fail so, one after the other, before one that does not; and the waits between them. */
async function acquired(failures: readonly Error[]) {
  const clock = testClock();
  const left = [...failures];
  const sandbox = async () => {
    const failure = left.shift();
    if (failure !== undefined) throw failure;
    return opened;
  };
  const got = await acquireSandbox({ sandbox, clock }, new AbortController().signal).catch((thrown: unknown) => thrown);
  return { got, waits: clock.sleeps };
}

test("a sandbox that cannot be opened for the moment, too many files being open too, is tried again", async () => {
  const crowded = Object.assign(new Error("EMFILE: open"), { code: "EMFILE" });
  const gone = new AppError("sandbox_gone", "It ended.");
  expect(await acquired([crowded, gone, crowded])).toEqual({ got: opened, waits: [250, 500, 1000] });
});

test("what no second attempt mends is thrown at once", async () => {
  const lost = new AppError("workspace_gone", "It is gone.");
  expect(await acquired([lost])).toEqual({ got: lost, waits: [] });
});
