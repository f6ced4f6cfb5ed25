import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

/** A program that says when it waits for a signal and when one came, and then takes its time to end with 0. */
async function waiting(): Promise<ChildProcess> {
  const code = `
    setTimeout(() => process.exit(3), 15_000);
    import { firstSignal } from ${JSON.stringify(join(import.meta.dirname, "first-signal.ts"))};
    const ended = firstSignal();
    console.log("ready");
    await ended;
    console.log("ending");
    setTimeout(() => process.exit(0), 500);`;
  const args = ["--input-type=module", "-e", code];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  expect(await said(child)).toBe("ready");
  return child;
}

const said = async (child: ChildProcess) => String((await once(child.stdout!, "data"))[0]).trim();

test.each([
  ["SIGTERM", (child: ChildProcess) => void child.kill("SIGTERM")],
  ["SIGINT", (child: ChildProcess) => void child.kill("SIGINT")],
  ["the end of who started it", (child: ChildProcess) => child.disconnect()],
])("a program ends in order at the first signal, and at once at a second one: %s", async (_what, signal) => {
  const one = await waiting();
  signal(one);
  expect([await said(one), await once(one, "exit")]).toEqual(["ending", [0, null]]);
  const other = await waiting();
  signal(other);
  expect(await said(other)).toBe("ending");
  other.kill("SIGTERM");
  expect(await once(other, "exit")).toEqual([1, null]);
});
