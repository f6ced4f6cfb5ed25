import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { beforeAll, describe } from "vitest";
import { noneBackend } from "../none/none-backend.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { seedDirectory } from "../testing/seed-directory.ts";
import { conversationPlace, readRecord } from "./conversation-place.ts";
import { findBoxes, findMarked } from "./find-processes.ts";
import { processBackend } from "./process-backend.ts";

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200 };

beforeAll(() => {
  process.env["HANDRAIL_TEST_SECRET"] = "secret";
});

describe("local sandboxes", () => {
  sandboxBackendContract("process", true, () => local("process"));
  sandboxBackendContract("none", false, () => local("none"));
});

async function local(kind: "process" | "none") {
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
      const running = kind === "process" ? findBoxes() : findMarked();
      running
        .filter((found) => found.sandboxId === record?.sandboxId)
        .forEach(({ pid }) => process.kill(pid, "SIGKILL"));
    },
    seed: seedDirectory,
    hostPath: home,
    limits: LIMITS,
    within: (timeoutMs: number) => AbortSignal.timeout(timeoutMs),
    dispose: () => rm(home, { recursive: true, force: true }),
  };
}
