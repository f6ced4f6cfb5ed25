import { spawn } from "node:child_process";
import { once } from "node:events";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { lookForMarked, MARK } from "./find-processes.ts";
import { killAll } from "./kill-all.ts";

test("what cannot be told yet is looked at again", async () => {
  const looks = [{ pids: [], untold: 1 }, { pids: [], untold: 2 }, { pids: [] }, { pids: [], untold: 3 }];
  await killAll(async () => looks.shift() ?? { pids: [] });
  expect(looks).toEqual([{ pids: [], untold: 3 }]);
});

test("a program that becomes another one all the time is ended too", async () => {
  for (let round = 0; round < 40; round++) {
    const sandboxId = newId("x", Date.now());
    const again = 'echo up; exec sh -c "$0" "$0"';
    const child = spawn("sh", ["-c", again, again], { env: { PATH: "/usr/bin:/bin", [MARK]: sandboxId } });
    const ended = once(child, "exit", { signal: AbortSignal.timeout(5_000) });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    child.stdout.resume();
    await killAll(async () => lookForMarked(sandboxId));
    expect(await ended).toEqual([null, "SIGKILL"]);
  }
});
