import { randomUUID } from "node:crypto";
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PrepareSeed, Seed } from "@handrail/core/ports/workspace-seed";
import { AppError } from "@handrail/protocol/errors";
import type { WorkspaceSource } from "@handrail/protocol/sources";

export type SeedParts = {
  /** Where seeds are made; on the file system of the workspaces, so that a backend can move them. */
  readonly directory: string;
  readonly demoDirectory: string;
};

/** Makes the first files of workspaces. */
export function seedPreparer({ directory, demoDirectory }: SeedParts): PrepareSeed {
  return async (source, _onProgress, signal) => {
    const target = join(directory, randomUUID());
    await mkdir(target, { recursive: true, mode: 0o700 });
    const seed: Seed = {
      directory: target,
      dispose: () => rm(target, { recursive: true, force: true }).catch(() => undefined),
    };
    try {
      await fill(target, source, demoDirectory);
      signal.throwIfAborted();
      return seed;
    } catch (thrown) {
      await seed.dispose();
      throw thrown;
    }
  };
}

async function fill(target: string, source: WorkspaceSource, demoDirectory: string): Promise<void> {
  if (source.type === "demo") return cp(demoDirectory, target, { recursive: true });
  if (source.type !== "empty") throw new AppError("source_invalid", "Only empty and demo workspaces are possible yet.");
}
