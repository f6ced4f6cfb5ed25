import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createJournal } from "@handrail/core/journal";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import { toAppError } from "@handrail/protocol/errors";
import { deliverer } from "@handrail/server/workspaces/deliver";
import { hostGit } from "@handrail/server/workspaces/git";
import { seedPreparer } from "@handrail/server/workspaces/prepare-seed";
import { describe, expect, onTestFinished, test } from "vitest";
import { SERVER_GIT_ATTACKS, type GitTarget } from "./cases/server-git-attacks.ts";

const CONVERSATION = `c_${"0".repeat(20)}`;
const code = (thrown: unknown): string => toAppError(thrown).code;

describe("a repository or a patch that tries, with the server's own git,", () => {
  test.each(SERVER_GIT_ATTACKS.map((attack) => [attack.id, attack.tries, attack] as const))(
    "%s, to %s, does not get it",
    async (_id, _tries, attack) => {
      expect(await attack.run(target())).toMatch(/^HELD/);
    },
  );
});

function target(): GitTarget {
  const root = mkdtempSync(path.join(tmpdir(), "handrail-server-git-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const home = path.join(root, "home");
  mkdirSync(home);
  const git = hostGit({ ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" });
  const signal = AbortSignal.timeout(20_000);
  const parts = { git, directory: path.join(home, "seeds"), demoDirectory: home, home, local: true };
  return {
    root,
    seed: (source) => seedPreparer(parts)(source, () => undefined, signal).then(({ directory }) => directory, code),
    apply: async (folder, patch) => {
      const journal = await createJournal(memoryLogStore(), testClock(), {
        type: "conversation.created",
        conversationId: CONVERSATION,
        ownerId: "local",
        teamId: null,
        title: "t",
        source: { type: "folder", path: folder },
        sandbox: { backend: "process", network: { type: "none" } },
        model: "demo",
        limits: {},
        runLimits: {},
      });
      const deliver = deliverer({ ...parts, journal: async () => journal, readPatch: async () => Buffer.from(patch) });
      return deliver(CONVERSATION, { kind: "apply" }, signal).then(() => "done", code);
    },
  };
}
