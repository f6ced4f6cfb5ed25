import { stat } from "node:fs/promises";
import { AppError } from "@handrail/protocol/errors";
import { checkBranchName, checkGitAddress } from "./git-address.ts";
import { gitProgress } from "./git-progress.ts";
import type { Git } from "./git.ts";

export type GitSource = { readonly url: string; readonly branch?: string | undefined };
export type SeedWork = { readonly target: string; readonly say: (text: string) => void; readonly signal: AbortSignal };

/** Where making a file takes long, most of a clone is that: as many processes as there are processors do it. */
export const WRITERS = "checkout.workers=0";

/**
 * Clones with the user's own git. What is left in the clone is the address without anything secret: addresses with
 * passwords are refused. Submodules are not fetched: a repository could name any address.
 * @throws AppError `source_invalid`, `git_failed`
 */
export async function cloneGit(git: Git, { url, branch }: GitSource, work: SeedWork, local: boolean): Promise<void> {
  checkGitAddress(url, local);
  if (branch !== undefined) checkBranchName(branch);
  work.say(`Cloning ${url}`);
  const chosen = branch === undefined ? [] : ["--branch", branch];
  const how = ["--progress", "--no-local", "--no-hardlinks", "--template="];
  await git(["-c", WRITERS, "clone", ...how, ...chosen, "--", url, work.target], {
    cwd: work.target,
    signal: work.signal,
    onStderr: gitProgress(work.say),
    failure: `${url} could not be cloned.`,
  });
  const made = await stat(`${work.target}/.git`).catch(() => undefined);
  if (made === undefined) throw new AppError("git_failed", `${url} could not be cloned.`);
}
