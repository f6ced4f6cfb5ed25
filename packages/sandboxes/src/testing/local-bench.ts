import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackendUnderTest } from "@handrail/core/testing/sandbox-bench";
import { mayUseFuse } from "@handrail/channels/testing/may-use-fuse";
import { noneBackend } from "../none/none-backend.ts";
import { conversationPlace, readRecord } from "../local/conversation-place.ts";
import { findBoxes, lookForMarked } from "../local/find-processes.ts";
import { killAll } from "../local/kill-all.ts";
import { processBackend } from "../process/process-backend.ts";
import { fillWorkspace } from "../fill-workspace.ts";
import { plantSecret } from "./config.ts";
import { seedDirectory } from "./seed-directory.ts";
import { builtPrograms } from "./test-programs.ts";
import { unpack } from "./unpack.ts";

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };
const { memoryBytes, processes } = LIMITS;
const isRoot = process.getuid?.() === 0;

/** What holds of them: the rest takes control groups and mounts. */
function held(kind: "process" | "none"): BackendUnderTest["limits"] {
  if (isRoot) return LIMITS;
  const isBounded = kind === "process" && mayUseFuse("The size of a plain user's workspace");
  return { ...(isBounded ? LIMITS : { memoryBytes, processes }), cpus: "unbounded" };
}

/** Sandboxes of this machine, with and without isolation. */
export async function localUnderTest(kind: "process" | "none"): Promise<BackendUnderTest> {
  plantSecret();
  const home = await mkdtemp(join(tmpdir(), "handrail-sandboxes-"));
  const directoryOf = (installation: string) => join(home, installation);
  const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
  return {
    open: async (installation: string) => {
      const options = { ...common, installation, directory: directoryOf(installation) };
      return kind === "process" ? processBackend(options) : noneBackend(options);
    },
    killFromOutside: async (installation: string, conversationId: string) => {
      const record = await readRecord(conversationPlace(directoryOf(installation), conversationId));
      const { sandboxId = "" } = record ?? {};
      const boxes = () => findBoxes().filter((box) => box.sandboxId === sandboxId);
      await killAll(async () =>
        kind === "process" ? { pids: boxes().map(({ pid }) => pid) } : lookForMarked(sandboxId),
      );
    },
    seed: seedDirectory,
    fill: fillWorkspace,
    unpack,
    hostPath: home,
    limits: held(kind),
    within: (timeoutMs: number) => AbortSignal.timeout(timeoutMs),
    dispose: () => rm(home, { recursive: true, force: true }),
  };
}
