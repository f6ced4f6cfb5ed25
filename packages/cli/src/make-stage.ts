import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A directory for what is under way, until `remove`. */
export type Stage = {
  readonly directory: string;
  readonly remove: () => void;
};

const LOCK = "lock";
/** What says nothing of its process is taken for left after so long, in milliseconds. */
const OLD_MS = 24 * 3_600_000;

/**
 * Makes a directory in `parent` that others can see to be in use: the kernel holds the lock in it as long as this process
 * lives, whatever its id and whoever sees that. What such processes left that were killed is removed before.
 */
export function makeStage(parent: string, prefix: string): Stage {
  removeLeft(parent, prefix);
  const directory = mkdtempSync(path.join(parent, prefix));
  const lock = lockIn(directory);
  return {
    directory,
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
      lock?.close();
    },
  };
}

function removeLeft(parent: string, prefix: string): void {
  const stages = readdirSync(parent).filter((name) => name.startsWith(prefix));
  for (const stage of stages.map((name) => path.join(parent, name))) {
    if (isLeft(stage)) rmSync(stage, { recursive: true, force: true });
  }
}

function isLeft(stage: string): boolean {
  if (!existsSync(path.join(stage, LOCK))) return isOld(stage);
  const lock = lockIn(stage);
  lock?.close();
  return lock !== undefined;
}

/** One without a lock is of an earlier version, was only just made, or is where nothing can be locked. */
function isOld(stage: string): boolean {
  const found = statSync(stage, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > OLD_MS;
}

/** Undefined when another process has it, or nothing can be locked there. */
function lockIn(stage: string): DatabaseSync | undefined {
  try {
    const database = new DatabaseSync(path.join(stage, LOCK), { timeout: 0 });
    try {
      database.exec("begin exclusive");
      return database;
    } catch {
      database.close();
      return undefined;
    }
  } catch {
    return undefined;
  }
}
