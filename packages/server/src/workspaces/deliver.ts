import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Journal } from "@handrail/core/journal";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { EventOf } from "@handrail/protocol/events";
import type { WORKSPACE_ROUTES } from "@handrail/protocol/workspace-routes";
import type { z } from "zod";
import { checkFolder } from "./folder-seed.ts";
import { checkBranchName, checkGitAddress } from "./git-address.ts";
import type { Git } from "./git.ts";

/** How a result is to be taken out, and what came of it. */
export type DeliverWanted = z.infer<(typeof WORKSPACE_ROUTES)["deliver"]["body"]>;
export type Delivered = z.infer<(typeof WORKSPACE_ROUTES)["deliver"]["response"]>;

/** Takes a conversation's result out of its sandbox. */
export type Deliver = (conversationId: string, wanted: DeliverWanted, signal: AbortSignal) => Promise<Delivered>;

export type DeliverParts = {
  readonly git: Git;
  readonly home: string;
  /** For repositories that are made for one delivery; made when it is not there. */
  readonly directory: string;
  readonly local: boolean;
  readonly journal: (conversationId: string) => Promise<Journal>;
  /** Everything changed since the workspace's start. @throws AppError `nothing_changed` */
  readonly readPatch: (conversationId: string, signal: AbortSignal) => Promise<Buffer>;
};

type Branch = Extract<DeliverWanted, { branch: string }>;
type Work = DeliverParts & { readonly patch: Buffer; readonly state: ConversationState; readonly signal: AbortSignal };

/**
 * Makes the result a commit on a new branch of the source, or applies it to the source folder. The patch comes from
 * the sandbox and is hostile: it only meets repositories that Handrail made itself or that are the user's own, never
 * one that a sandbox could write to, and no hook runs.
 */
export function deliverer(parts: DeliverParts): Deliver {
  return async (id, wanted, signal) => {
    const journal = await parts.journal(id);
    if (wanted.kind !== "apply") checkBranchName(wanted.branch);
    requirePossible(journal.state, wanted);
    const patch = await parts.readPatch(id, signal);
    const work: Work = { ...parts, patch, state: journal.state, signal };
    const delivered = wanted.kind === "apply" ? await apply(work) : await commit(work, wanted);
    const { kind, ref, commit: hash, files } = delivered;
    await journal.commit(() => [{ type: "result.delivered", kind, ref, files, ...(hash && { commit: hash }) }]);
    return delivered;
  };
}

type Result = Omit<EventOf<"result.delivered">, "type">;

function requirePossible({ source, workspace }: ConversationState, { kind }: DeliverWanted): void {
  if (kind === "apply" && source.type !== "folder")
    throw impossible("Only a folder of this machine can be applied to.");
  if (kind === "branch" && source.type !== "folder")
    throw impossible("Only a folder's repository can take a branch here.");
  if (kind === "push" && source.type !== "git") throw impossible("Only a workspace from a git address can be pushed.");
  if (kind !== "apply" && workspace?.commit === undefined)
    throw impossible("The workspace did not begin as a git repository.");
}

const impossible = (message: string) => new AppError("source_invalid", message);

/** Nothing is changed unless all of it applies. */
async function apply({ git, home, patch, state, signal }: Work): Promise<Result> {
  const cwd = await checkFolder(state.source.type === "folder" ? state.source.path : "", home);
  const files = await filesIn(git, cwd, patch, signal);
  // In a folder below a repository, git would leave out what it takes for outside.
  const env = { GIT_CEILING_DIRECTORIES: dirname(cwd) };
  const failure = "The folder has changed since, so the result does not apply. Nothing was changed.";
  const options = ["apply", "--whitespace=nowarn", "--binary"];
  await git([...options, "--check", "-"], { cwd, env, signal, stdin: patch, failure });
  await git([...options, "-"], { cwd, env, signal, stdin: patch, failure });
  return { kind: "applied", ref: cwd, files };
}

async function commit(work: Work, wanted: Branch): Promise<Result> {
  const { git, signal, directory } = work;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(join(directory, "deliver-"));
  try {
    const repository = join(scratch, "repository.git");
    const source = await fetchSource(work, repository);
    const hash = await commitPatch(work, repository, wanted);
    const failure = "The branch could not be written.";
    const spec = `${hash}:refs/heads/${wanted.branch}`;
    const push = [
      "push",
      "--no-verify",
      "--porcelain",
      `--force-with-lease=refs/heads/${wanted.branch}:`,
      "--",
      source,
      spec,
    ];
    await git(push, { cwd: repository, signal, failure });
    const files = await filesIn(git, repository, work.patch, signal);
    return { kind: wanted.kind, ref: wanted.branch, commit: hash, files };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A repository of our own that has the commit which the workspace began with. Gives the address to push to. */
async function fetchSource({ git, state, home, local, signal }: Work, repository: string): Promise<string> {
  const { source, workspace } = state;
  const address =
    source.type === "folder" ? await checkFolder(source.path, home) : source.type === "git" ? source.url : "";
  if (source.type === "git") checkGitAddress(address, local);
  const failure = "The source could not be fetched.";
  await git(["init", "--quiet", "--bare", "--template=", repository], { cwd: home, signal, failure });
  const fetch = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--",
    address,
    "+refs/heads/*:refs/source/*",
    "+HEAD:refs/source-head",
  ];
  await git(fetch, { cwd: repository, signal, failure });
  const base = `${workspace?.commit ?? ""}^{commit}`;
  const gone = "The commit that the work began with is no longer in the source.";
  await git(["rev-parse", "--verify", "--quiet", "--end-of-options", base], { cwd: repository, signal, failure: gone });
  return address;
}

/** Applies to an index, not to files: no path in the patch can lead anywhere. */
async function commitPatch({ git, state, patch, signal }: Work, repository: string, wanted: Branch): Promise<string> {
  const base = state.workspace?.commit ?? "";
  const env = { GIT_INDEX_FILE: join(repository, "handrail-index") };
  const run = async (args: readonly string[], failure: string, stdin?: Buffer) => {
    const { stdout } = await git(args, { cwd: repository, signal, env, failure, ...(stdin && { stdin }) });
    return stdout.toString("utf8").trim();
  };
  await run(["read-tree", base], "The source could not be read.");
  const clash = "The workspace began with changes that were not committed, so the result does not apply to the commit.";
  await run(["apply", "--cached", "--binary", "--whitespace=nowarn", "-"], clash, patch);
  const tree = await run(["write-tree"], "The result could not be written.");
  const unknown = "The commit could not be made. Set your name: git config --global user.name and user.email.";
  return run(["commit-tree", tree, "-p", base, "-F", "-"], unknown, Buffer.from(`${wanted.message.trim()}\n`));
}

async function filesIn(git: Git, cwd: string, patch: Buffer, signal: AbortSignal): Promise<number> {
  const failure = "The result is not a patch that git takes.";
  const { stdout } = await git(["apply", "--numstat", "-z", "-"], { cwd, signal, stdin: patch, failure });
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((line) => /^[\d-]+\t[\d-]+\t/.test(line)).length;
}
