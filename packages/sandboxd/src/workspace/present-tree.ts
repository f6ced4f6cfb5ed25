import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LeftOutFiles } from "@handrail/protocol/left-out-files";
import type { Finished } from "../run-program.ts";
import type { ChangedPaths } from "./changed-paths.ts";
import { LargeFiles, ONLY_SMALL_FILES } from "./large-files.ts";
import { outputOf, type GitPlace, type RunGit } from "./private-git.ts";

/** What it needs of the private repository. */
export type PresentTreeParts = Pick<GitPlace, "workspace" | "directory" | "isUntouched"> & {
  readonly run: RunGit;
  readonly changed: ChangedPaths;
};

/** Keeps the private repository's index as the workspace is, and names trees of it. */
export class PresentTree {
  readonly #parts: PresentTreeParts;
  readonly #git: RunGit;
  readonly #large: LargeFiles;
  /** Whether the index is what the workspace is, but for what restores changed since. */
  #inStep = false;

  constructor(parts: PresentTreeParts) {
    this.#parts = parts;
    this.#git = parts.run;
    this.#large = new LargeFiles(parts.workspace, parts.run);
  }

  /** Of the last tree; undefined when nothing was. */
  get leftOut(): LeftOutFiles | undefined {
    return this.#large.told;
  }

  /** The tree of the index as it is; undefined when git makes none of it, and then the index goes. */
  async indexed(): Promise<string | undefined> {
    this.#parts.changed.take();
    const { exitCode, stdout } = await this.#git(["write-tree"]);
    this.#inStep = exitCode === 0;
    if (exitCode === 0) return stdout.toString().trim();
    rmSync(join(this.#parts.directory, "index"), { force: true });
    return undefined;
  }

  /**
   * Files that cannot be read are left as they were, and files that are too large as they are in the tree `start`, if there
   * is one. @returns the tree's name
   */
  async take(start?: string): Promise<string> {
    const untouched = this.#parts.isUntouched();
    const paths = this.#parts.changed.take();
    this.#large.lookAgain();
    this.#inStep = this.#inStep && untouched && paths !== undefined && (await this.#addOnly(paths));
    if (!this.#inStep) this.#inStep = (await this.#addAll(start)) && untouched;
    const tree = outputOf(await this.#git(["write-tree"]), "take a snapshot of the workspace");
    return tree.toString().trim();
  }

  /** Whether these are all that has to be looked at, and git took them: it refuses, say, those that are ignored. */
  async #addOnly(paths: readonly string[]): Promise<boolean> {
    const own = paths.filter((path) => !path.startsWith(".git/"));
    if (own.length === 0) return true;
    const text = own.join(" ");
    if (text.length > MAX_ARGUMENTS || !PLAIN_PATHS.test(text) || text.includes(".gitignore")) return false;
    const { settings, env } = ONLY_SMALL_FILES;
    const { exitCode } = await this.#git([...settings, "--literal-pathspecs", "add", "--all", "--", ...own], { env });
    return exitCode === 0;
  }

  /** Whether the index is then all that the workspace is. */
  async #addAll(start: string | undefined): Promise<boolean> {
    const first = await this.#add(this.#large.paths, ONLY_SMALL_FILES);
    if (isTaken(first)) return first.exitCode === 0;
    const found = await this.#large.find();
    if (found.length > 0) {
      await this.#putBack(found, start);
      const second = await this.#add(this.#large.paths);
      if (isTaken(second)) return second.exitCode === 0;
    }
    await this.#addNestedLast();
    return false;
  }

  /** All but these. */
  async #add(except: readonly string[], { settings, env }: AddLimits = NO_LIMITS): Promise<Finished> {
    const add = [...settings, "add", "--all", "--ignore-errors"];
    const excluded = except.map((path) => `:(exclude,literal)${path}`);
    const text = excluded.join(" ");
    if (text === "" || (text.length <= MAX_ARGUMENTS && PLAIN_PATHS.test(text)))
      return this.#git([...add, "--", ".", ...excluded], { env });
    const stdin = Buffer.from(`${[".", ...excluded].join("\0")}\0`, "latin1");
    return this.#git([...add, "--pathspec-from-file=-", "--pathspec-file-nul"], { env, stdin });
  }

  /** What earlier, smaller states of files left in the index goes. */
  async #putBack(paths: readonly string[], start: string | undefined): Promise<void> {
    if (start === undefined) return;
    const listed = outputOf(await this.#git(["ls-tree", "-r", "-z", start]), "list the start").toString("latin1");
    const known = new Map(listed.split("\0").map((entry) => [entry.slice(entry.indexOf("\t") + 1), entry]));
    const entries = paths.map((path) => known.get(path) ?? `0 ${NOTHING}\t${path}`);
    const stdin = Buffer.from(`${entries.join("\0")}\0`, "latin1");
    outputOf(await this.#git(["update-index", "-z", "--index-info"], { stdin }), "leave out large files");
  }

  /** A directory with a `.git` that has no commit makes `git add` give up on everything. */
  async #addNestedLast(): Promise<void> {
    const listed = await this.#git(["ls-files", "-z", "--others", "--exclude-standard", "--directory"]);
    const nested = outputOf(listed, "list new files")
      .toString("latin1")
      .split("\0")
      .filter((path) => path.endsWith("/"))
      .map((path) => path.slice(0, -1));
    const broken = nested.filter((path) => lstatSync(this.#place(`${path}/.git`), { throwIfNoEntry: false }));
    const added = await this.#add([...this.#large.paths, ...broken]);
    if (!isTaken(added)) outputOf(added, "read the workspace");
  }

  #place(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#parts.workspace}/`), Buffer.from(path, "latin1")]);
  }
}

type AddLimits = { readonly settings: readonly string[]; readonly env: Readonly<Record<string, string>> };
const NO_LIMITS: AddLimits = { settings: [], env: {} };

/** But perhaps for files that cannot be read. */
const isTaken = ({ exitCode }: Finished) => exitCode === 0 || exitCode === 1;

/** In an argument text outside of ASCII would become other bytes. */
const PLAIN_PATHS = /^[\x20-\x7e]+$/;
const MAX_ARGUMENTS = 64 * 1024;
const NOTHING = "0".repeat(40);
