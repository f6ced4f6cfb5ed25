import { processBackend } from "../process/process-backend.ts";
import { builtPrograms } from "./test-programs.ts";

/** A program for tests: starts, stops and removes sandboxes until it is killed. Says so before it begins. */
const [directory = "", installation = ""] = process.argv.slice(2);
const sandboxdDirectory = builtPrograms();
const limits = { diskBytes: 64 * 1024 ** 2 };
const backend = processBackend({ directory, installation, sandboxdDirectory, egress: () => undefined, limits });
const choice = { backend: "process", network: { type: "none" } } as const;
await backend.health(AbortSignal.timeout(30_000));
process.stdout.write("begins\n");
for (let round = 0; ; round++) {
  const conversationId = `c_${String(round).padStart(20, "0")}`;
  const spec = { conversationId, choice, seedDirectory: undefined };
  await backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
  await backend.stop(conversationId);
  await backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
  if (round % 2 === 0) await backend.remove(conversationId);
}
