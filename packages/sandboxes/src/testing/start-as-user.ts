import { spawn } from "node:child_process";
import { once } from "node:events";
import { findBoxes } from "../local/find-processes.ts";
import { processBackend } from "../process/process-backend.ts";
import { builtPrograms } from "./test-programs.ts";

/** A program for tests: starts a process sandbox as whoever runs it, and prints what it is there. */
const [directory = ""] = process.argv.slice(2);
const limits = { processes: 100, memoryBytes: 512 * 1024 ** 2 };
const backend = processBackend({
  directory,
  installation: "user",
  sandboxdDirectory: builtPrograms(),
  egress: () => undefined,
  limits,
});
const signal = AbortSignal.timeout(150_000);
const conversationId = "c_00000000000000000000";
const choice = { backend: "process", network: { type: "none" } } as const;
const sandbox = await backend.start({ conversationId, choice, seedDirectory: undefined }, () => undefined, signal);
const run = async (script: string) => {
  const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 10_000 };
  return (await sandbox.call("process.run", args, { signal })).stdout.trim();
};
const who = await run("id -u; touch file && ls; (echo x > /usr/x) 2>/dev/null || echo refused");
const eaten = await run("head -c 1G /dev/zero | tail -n 1 | wc -c");
const forked = await run(
  "i=0; while [ $i -lt 300 ]; do sleep 9 >/dev/null 2>&1 & i=$((i+1)); done 2>/dev/null; echo all",
);
const { sandboxId } = sandbox;
// Its own child must not hold the pipe: this program would not end before it.
const sleep = ["-c", "echo up; sleep 60 >&2; true", "handrail-sandbox", "--sandbox", sandboxId];
const stranger = spawn("sh", sleep, { stdio: ["ignore", "pipe", "ignore"] });
await once(stranger.stdout, "data");
await backend.remove(conversationId);
const left = findBoxes()
  .filter((box) => box.sandboxId === sandboxId)
  .map(({ pid }) => (pid === stranger.pid ? "stranger" : "sandbox"));
stranger.kill("SIGKILL");
const asRoot = { conversationId, choice: { ...choice, profile: "dev" }, seedDirectory: undefined } as const;
const dev = await backend.start(asRoot, () => undefined, signal).catch((thrown: Error) => thrown.message);
await backend.close();
process.stdout.write(JSON.stringify({ who, eaten, forked, left, dev }));
