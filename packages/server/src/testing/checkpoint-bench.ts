import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { createJournal, type Journal } from "@handrail/core/journal";
import { openSandbox } from "@handrail/core/open-sandbox";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { newId } from "@handrail/protocol/ids";
import { fillWorkspace } from "@handrail/sandboxes/fill-workspace";
import { checkpointsOf } from "../checkpoints/checkpoints.ts";
import { keptFiles } from "../checkpoints/kept-files.ts";
import { systemClock } from "../clock.ts";
import { restores } from "../conversations/restores.ts";
import { makeSeed } from "../workspaces/prepare-seed.ts";

/** Makes a backend whose sandboxes are in a directory. */
export type MakeBackend = (directory: string) => SandboxBackend | Promise<SandboxBackend>;

const RULES = { maxFileBytes: 1_000_000, maxTotalBytes: 100_000_000 };

/**
 * Conversations in one backend, with checkpoints in a directory. Each begins as a repository with one file. `close`
 * removes them all.
 */
export async function checkpointBench(make: MakeBackend, signal: AbortSignal) {
  const directory = mkdtempSync(join(tmpdir(), "handrail-kept-"));
  const backend = await make(join(directory, "sandboxes"));
  const store = memoryLogStore();
  const key = Buffer.alloc(32, 7);
  const kept = keptFiles({ open: async () => directoryStore(join(directory, "store")), key, rules: RULES });
  const journals = new Map<string, Journal>();
  const close = async () => {
    for (const id of journals.keys()) await backend.remove(id);
    await backend.close();
    rmSync(directory, { recursive: true, force: true });
  };
  const seeds = join(directory, "seeds");
  const prepareSeed = async () => {
    const seed = await makeSeed(seeds);
    execFileSync("git", ["init", "-q", "-b", "main", seed.directory]);
    writeFileSync(join(seed.directory, "begun.txt"), "begun\n");
    return seed;
  };
  const newIdNow = (prefix: Parameters<typeof newId>[0]) => newId(prefix, Date.now());
  const seeding = { prepareSeed, emptySeed: () => makeSeed(seeds), fillWorkspace };
  const parts = { ...seeding, backend, clock: systemClock, newId: newIdNow };
  const open = (journal: Journal) =>
    openSandbox({ ...parts, journal, snapshots: kept.snapshots }, () => undefined, signal);
  const create = async (more: Partial<Parameters<typeof sampleCreated>[0]> = {}) => {
    const conversationId = newIdNow("c");
    const sandbox = { backend: backend.name, network: { type: "none" } } as const;
    const journal = await createJournal(store, systemClock, sampleCreated({ ...more, conversationId, sandbox }));
    journals.set(conversationId, journal);
    return journal;
  };
  const journal = async (id: string) => journals.get(id) ?? Promise.reject(new Error("no such conversation"));
  const checkpoints = checkpointsOf({
    store,
    journal,
    open,
    snapshots: kept.snapshots,
    lineages: kept.lineages,
    clock: systemClock,
    newId: newIdNow,
    restores: restores(),
  });
  const shell = async (of: Journal, script: string) => {
    const sandbox = await open(of);
    const limits = { timeoutMs: 20_000, capBytes: 1_000_000 };
    const { stdout, stderr, exitCode } = await sandbox.call(
      "process.run",
      { argv: ["sh", "-c", script], ...limits },
      { signal },
    );
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  const changes = async (of: Journal) => (await (await open(of)).call("workspace.changes", {}, { signal })).changes;
  return { directory, backend, store, kept, checkpoints, create, open, shell, changes, close, newId: newIdNow };
}
