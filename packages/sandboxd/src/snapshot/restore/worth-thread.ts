import type { PlannedTree } from "./restore-plan.ts";

const MIN_FILES_FOR_THREAD = 1000;
/** Directories of so many files take about this: a thread starts while they are read. */
export const MIN_BYTES_FOR_THREAD = 48 * 1024;

/** A thread pays off for many files. Another name of a file can only be made when the file is there. */
export function isWorthThread(plan: PlannedTree): boolean {
  let files = 0;
  const look = ({ entries }: PlannedTree): boolean => {
    for (const { entry, directory } of entries.values()) {
      if (entry.type === "twin" || (directory !== undefined && !look(directory))) return false;
      files += 1;
    }
    return true;
  };
  return look(plan) && files >= MIN_FILES_FOR_THREAD;
}
