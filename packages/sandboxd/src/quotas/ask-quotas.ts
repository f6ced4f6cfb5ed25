import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { QuotaAnswer, QuotaLimit } from "@handrail/protocol/sandboxd/quota-answer";
import type { QuotaCalls } from "./quota-calls.ts";

const PROBE = "quota-probe";
const NO_LIMIT = { bytes: 0, files: 0 };

/**
 * Asks the kernel what each of these users may store on the file system of a directory. It takes root: a file there becomes
 * each user's in turn, and the kernel tells a user their own limit alone.
 */
export function askQuotas(directory: string, users: readonly number[], calls: QuotaCalls): QuotaAnswer {
  const path = join(directory, PROBE);
  writeFileSync(path, "");
  const file = openSync(path, "r");
  try {
    if (!calls.enforced(file)) return { enforced: false, limits: [] };
    const limits = users.map((user): QuotaLimit => {
      giveUnlessFull(calls, path, user);
      return { user, ...(calls.limit(file, user) ?? NO_LIMIT) };
    });
    return { enforced: true, limits };
  } finally {
    closeSync(file);
  }
}

/** Who has used up their limit has one. */
function giveUnlessFull(calls: QuotaCalls, path: string, user: number): void {
  try {
    calls.give(path, user);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EDQUOT") throw thrown;
  }
}
