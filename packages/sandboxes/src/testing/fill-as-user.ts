import { processBackend } from "../process/process-backend.ts";
import { DISK_FILLERS, endOf } from "./disk-fillers.ts";
import { builtPrograms } from "./test-programs.ts";

/** A program for tests: runs the filler of that number in a process sandbox of whoever runs it, and prints how it ended. */
const [directory = "", number = ""] = process.argv.slice(2);
const script = DISK_FILLERS[Number(number)]?.script ?? "";
const backend = processBackend({
  directory,
  installation: "filler",
  sandboxdDirectory: builtPrograms(),
  egress: () => undefined,
});
const signal = AbortSignal.timeout(60_000);
const conversationId = "c_00000000000000000000";
const choice = { backend: "process", network: { type: "none" } } as const;
const sandbox = await backend.start({ conversationId, choice, seedDirectory: undefined }, () => undefined, signal);
const args = { argv: ["python3", "-IS", "-c", script], timeoutMs: 50_000, capBytes: 1000 };
const end = await endOf(sandbox.call("process.run", args, { signal }));
await backend.remove(conversationId);
await backend.close();
process.stdout.write(end);
