import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { runProgram } from "../run-program.ts";

/** Ends a daemon of a test's own and waits until it is gone. */
export async function endDaemon(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** Takes off what a daemon, or what it started, left mounted below a directory of the test's own. */
export async function unmountBelow(directory: string): Promise<void> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const below = table.split("\n").flatMap((line) => line.split(" ")[4] ?? []);
  for (const path of below.filter((path) => path.startsWith(`${directory}/`)).toReversed()) {
    await runProgram("umount", ["--lazy", path]);
  }
}
