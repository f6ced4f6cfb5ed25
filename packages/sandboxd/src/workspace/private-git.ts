import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { runProgram, type Finished, type ProgramOptions } from "../run-program.ts";
import type { Sizes } from "./git-index.ts";
import type { RestoredIndex } from "./restored-index.ts";
import type { WrittenFiles } from "./written-files.ts";

export type GitPlace = {
  readonly program: string | undefined;
  readonly workspace: string;
  /** Where our own repository is kept. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** What was restored just before. */
  readonly written: Pick<WrittenFiles, "take">;
  /** Whether nothing can have changed since. */
  readonly isUntouched: () => boolean;
};

export type GitOptions = Partial<Pick<ProgramOptions, "stdin" | "stdoutFile" | "signal" | "env">>;

/** `env` is added to what git has else. */
export type RunGit = (args: readonly string[], options?: GitOptions) => Promise<Finished>;

export type PrivateGit = {
  readonly run: RunGit;
  /**
   * Makes the repository if there is none; otherwise the first run does. How much is in its index, where that is known
   * to be what the workspace is, so that git need not look.
   */
  readonly ready: () => Promise<Sizes | undefined>;
};

/** Of the repository: there from before, or made from the user's: just `made`, or known to be what the workspace is. */
type Index = "kept" | "made" | Sizes;

const TIMEOUT_MS = 300_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Nothing that a repository says may make git run a program or change bytes. */
const INERT = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.autocrlf=false",
  "core.quotePath=false",
  "core.fileMode=true",
  "core.symlinks=true",
  "core.sparseCheckout=false",
  "safe.directory=*",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "index.sparse=false",
  "advice.addEmbeddedRepo=false",
  "protocol.allow=never",
  "diff.ignoreSubmodules=dirty",
  "core.untrackedCache=false",
].flatMap((setting) => ["-c", setting]);

/** For what compares: nothing that a repository says may change the text. */
export const QUIET: readonly string[] = ["--no-ext-diff", "--no-textconv", "--no-color"];

/** What `git init` makes (gitrepository-layout(5)); the program would take longer than all the rest. */
const REPOSITORY_DIRECTORIES = ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"];
const REPOSITORY_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n";

/**
 * A git repository of our own over the workspace, apart from the user's. It borrows the user's objects, and starts
 * from the user's index, so that files that did not change are not read.
 * @throws AppError `git_missing`, `git_failed`
 */
export function privateGit(place: GitPlace): PrivateGit {
  const env = {
    ...Object.fromEntries(Object.entries(place.env).filter(([name]) => !name.startsWith("GIT_"))),
    GIT_WORK_TREE: place.workspace,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
  };
  let prepared: Promise<Index> | undefined;
  let checked: Promise<void> | undefined;
  const fixed = { cwd: place.workspace, env: { ...env, GIT_DIR: place.directory }, timeoutMs: TIMEOUT_MS };
  const runPrepared: RunGit = async (args, options = {}) => {
    const { signal = new AbortController().signal } = options;
    const all = { ...fixed.env, ...options.env };
    const settings = { ...fixed, capBytes: MAX_OUTPUT_BYTES, ...options, env: all, signal };
    return runProgram([requireProgram(place), ...INERT, ...args], settings);
  };
  const ready = async () => {
    requireProgram(place);
    prepared ??= prepare(place).catch((thrown: unknown) => {
      prepared = undefined;
      throw thrown;
    });
    const index = await prepared;
    // Of one that is known as a whole git says soon enough whether it takes it.
    if (typeof index === "object" && place.isUntouched()) return index;
    if (index !== "kept") await (checked ??= dropDamagedIndex(place.directory, runPrepared));
    return undefined;
  };
  const run: RunGit = async (args, options) => {
    await ready();
    return runPrepared(args, options);
  };
  return { run, ready };
}

function requireProgram({ program }: GitPlace): string {
  if (program !== undefined) return program;
  throw new AppError("git_missing", "There is no git in this sandbox's image.");
}

/** What git wrote. @throws AppError `git_failed` with what git said, when it ended otherwise than with 0 */
export function outputOf(done: Finished, doing: string): Buffer {
  if (done.exitCode === 0 && !done.cut) return done.stdout;
  const said = done.stderr.toString().trim().slice(0, 1000);
  throw new AppError("git_failed", `Git could not ${doing}. ${said}`.trim(), { exitCode: done.exitCode ?? -1 });
}

/**
 * Made beside its place and moved there once it is whole: a kill at any instant leaves a repository, or none. Whether
 * its index is what was written into the workspace.
 */
async function prepare({ workspace, directory, written }: GitPlace): Promise<Index> {
  rmSync(join(directory, "index.lock"), { force: true });
  const restored = written.take();
  if (existsSync(join(directory, "HEAD"))) return "kept";
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const sizes = make(unfinished, workspace, restored);
  renameSync(unfinished, directory);
  return sizes ?? "made";
}

function make(directory: string, workspace: string, restored: RestoredIndex | undefined): Sizes | undefined {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const part of REPOSITORY_DIRECTORIES) mkdirSync(join(directory, part), { recursive: true });
  writeFileSync(join(directory, "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(directory, "config"), REPOSITORY_CONFIG);
  writeFileSync(join(directory, "info", "attributes"), "* -text -filter -ident -working-tree-encoding\n");
  const user = join(workspace, ".git");
  if (lstatSync(user, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  writeFileSync(join(directory, "objects", "info", "alternates"), `${join(user, "objects")}\n`, { flag: "w" });
  copyIfFile(join(user, "info", "exclude"), join(directory, "info", "exclude"));
  let stamped: Buffer | undefined;
  copyIfFile(
    join(user, "index"),
    join(directory, "index"),
    (index) => (stamped = restored?.stampedFrom(index)) ?? index,
  );
  return stamped && restored?.whole;
}

/** Leaves an index only where git takes it. */
async function dropDamagedIndex(directory: string, run: RunGit): Promise<void> {
  const index = join(directory, "index");
  if (!existsSync(index)) return;
  if ((await run(["ls-files", "--error-unmatch", "--", "."])).exitCode === 128) rmSync(index, { force: true });
}

/** With its time: git compares the index' own time with those of files. */
function copyIfFile(from: string, to: string, changed: (content: Buffer) => Buffer = (content) => content): void {
  if (lstatSync(from, { throwIfNoEntry: false })?.isFile() !== true) return;
  writeFileSync(to, changed(readFileSync(from)));
  const { atime, mtime } = statSync(from);
  utimesSync(to, atime, mtime);
}
