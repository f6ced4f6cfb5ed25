import { processBackend } from "../process/process-backend.ts";
import { DISK_FILLERS, endOf } from "./disk-fillers.ts";
import { builtPrograms } from "./test-programs.ts";

/**
 * A program for tests: runs the filler of that number in a process sandbox of whoever runs it, and prints how it ended. With
 * `fuse` as the last word the workspace is bounded by FUSE, and it prints what the sandbox is fit for then.
 */
const [directory = "", number = "", bound = ""] = process.argv.slice(2);
const script = DISK_FILLERS[Number(number)]?.script ?? "";
const backend = processBackend({
  directory,
  installation: "filler",
  sandboxdDirectory: builtPrograms(),
  egress: () => undefined,
  fuse: bound === "fuse",
});
/** What is removed can be used again. */
const AGAIN = "cd /workspace && rm -rf * && echo again > again && cat again";
const signal = AbortSignal.timeout(60_000);
const conversationId = "c_00000000000000000000";
const choice = { backend: "process", network: { type: "none" } } as const;
const sandbox = await backend.start({ conversationId, choice, seedDirectory: undefined }, () => undefined, signal);
const runs = (argv: readonly string[], timeoutMs: number) =>
  sandbox.call("process.run", { argv: [...argv], timeoutMs, capBytes: 1000 }, { signal });
const filled = runs(["python3", "-IS", "-c", script], bound === "fuse" ? 10_000 : 50_000);
const end = bound === "fuse" ? await filled.then(() => runs(["sh", "-c", AGAIN], 20_000)) : await endOf(filled);
await backend.remove(conversationId);
await backend.close();
process.stdout.write(typeof end === "string" ? end : end.stdout);
