import { lstatSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { pathBytes } from "@handrail/protocol/paths";
import * as z from "zod/mini";
import { fileError } from "../files/file-error.ts";
import { isBinary, readContent } from "../files/file-content.ts";
import { resolveExisting, resolveWritable, type Root } from "../files/resolve-path.ts";
import type { Handlers } from "../handlers.ts";
import type { ChangedPaths } from "./changed-paths.ts";
import { WorkspaceFiller } from "./fill-workspace.ts";
import { sizesIn } from "./git-index.ts";
import { PatchFile } from "./patch-file.ts";
import { PresentTree, type PresentTreeParts } from "./present-tree.ts";
import { outputOf, privateGit, QUIET, type GitPlace, type PrivateGit, type RunGit } from "./private-git.ts";
import { readTreeChanges } from "./tree-changes.ts";

type WorkspaceHandlers = Pick<Handlers, `workspace.${"fill" | "begin" | "changes" | "file" | "patch"}`>;
type Start = OperationResult<"workspace.begin">;

const Start = z.object({
  tree: z.string(),
  files: z.number(),
  bytes: z.number(),
  commit: z.optional(z.string()),
  branch: z.optional(z.string()),
});
/** The name of the tree without entries, which every git knows. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/** What git calls a HEAD that is no branch. */
const DETACHED = "HEAD";

/** The operations that compare the workspace with its start. One at a time: they share an index. */
export function workspaceOperations(
  root: Root,
  stateDirectory: string,
  git: Omit<GitPlace, "directory"> & { readonly changed: ChangedPaths },
): WorkspaceHandlers {
  const place = { ...git, directory: join(stateDirectory, "git") };
  const history = new History(root, stateDirectory, { ...privateGit(place), ...place });
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
  const filler = new WorkspaceFiller(root.workspace);
  return {
    "workspace.fill": (args) =>
      inTurn(() => {
        git.written.take();
        return history.beforeStart(() => filler.take(args));
      }),
    "workspace.begin": () => inTurn(() => history.begin()),
    "workspace.changes": () => inTurn(() => history.changes()),
    "workspace.file": (args) => inTurn(() => history.file(args)),
    "workspace.patch": (args) => inTurn(() => history.patch(args)),
  };
}

type HistoryParts = PrivateGit & PresentTreeParts;

class History {
  readonly #root: Root;
  readonly #state: string;
  readonly #parts: HistoryParts;
  readonly #git: RunGit;
  readonly #present: PresentTree;
  readonly #patch: PatchFile;

  constructor(root: Root, state: string, parts: HistoryParts) {
    this.#root = root;
    this.#state = state;
    this.#parts = parts;
    this.#git = parts.run;
    this.#present = new PresentTree(parts);
    this.#patch = new PatchFile(join(state, "patch"), parts.run);
  }

  /** @throws AppError `bad_request` when a start is remembered: somebody may have worked here since */
  async beforeStart<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#start() === undefined) return work();
    throw new AppError("bad_request", "The workspace has its first files already.");
  }

  async begin(): Promise<Start> {
    const known = this.#start();
    if (known !== undefined) return known;
    const [files, head] = await Promise.all([this.#firstFiles(), this.#userHead()]);
    const start = { ...files, ...head };
    const file = join(this.#state, "baseline.json");
    writeFileSync(`${file}.new`, JSON.stringify(start));
    renameSync(`${file}.new`, file);
    return start;
  }

  /** Nothing is asked of git about a workspace without files, which most begin with, but whether it is there. */
  async #firstFiles(): Promise<Pick<Start, "tree" | "files" | "bytes">> {
    const sizes = await this.#parts.ready();
    if (readdirSync(this.#root.workspace).every((name) => name === ".git"))
      return { tree: EMPTY_TREE, files: 0, bytes: 0 };
    const whole = sizes === undefined ? undefined : await this.#present.indexed();
    if (sizes !== undefined && whole !== undefined) return { tree: whole, ...sizes };
    const tree = await this.#present.take();
    return { tree, ...(sizesIn(readFileSync(join(this.#state, "git", "index"))) ?? (await this.#sizesOf(tree))) };
  }

  async #sizesOf(tree: string): Promise<Pick<Start, "files" | "bytes">> {
    const entries = (await this.#tree(tree)).filter((entry) => entry.size !== undefined);
    return { files: entries.length, bytes: entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0) };
  }

  async changes(): Promise<OperationResult<"workspace.changes">> {
    const start = await this.begin();
    const tree = await this.#present.take(start.tree);
    const differences = await this.#git([
      "diff-tree",
      "-r",
      "-M",
      "-z",
      "--raw",
      "--numstat",
      ...QUIET,
      start.tree,
      tree,
    ]);
    const changes = readTreeChanges(outputOf(differences, "compare the workspace with its start"));
    const { leftOut } = this.#present;
    return { tree, changes, ...(leftOut && { leftOut }) };
  }

  async file({ path, capBytes }: OperationArgs<"workspace.file">): Promise<OperationResult<"workspace.file">> {
    const start = await this.begin();
    const before = await this.#fileBefore(start.tree, path, capBytes);
    const after = this.#fileNow(path, capBytes);
    const binary = [before, after].some((bytes) => bytes !== null && isBinary(bytes));
    return { before: before?.toString("base64") ?? null, after: after?.toString("base64") ?? null, binary };
  }

  /** The whole patch is made when its first part is asked for; later parts are of that one. */
  async patch({ offset, length }: OperationArgs<"workspace.patch">): Promise<OperationResult<"workspace.patch">> {
    if (offset === 0) await this.#writePatch();
    const { leftOut } = this.#present;
    return { ...this.#patch.read(offset, length), ...(leftOut && { leftOut }) };
  }

  async #writePatch(): Promise<void> {
    const start = await this.begin();
    const now = await this.#present.take(start.tree);
    await this.#patch.write({ start: start.tree, now, leftOut: this.#present.leftOut });
  }

  async #tree(tree: string): Promise<TreeEntry[]> {
    const listed = await this.#git(["ls-tree", "-r", "-z", "-l", tree]);
    return outputOf(listed, "list the start").toString("latin1").split("\0").slice(0, -1).map(treeEntry);
  }

  async #fileBefore(tree: string, path: string, capBytes: number): Promise<Buffer | null> {
    const name = Buffer.from(pathBytes(path)).toString("latin1");
    const entry = (await this.#tree(tree)).find((candidate) => candidate.name === name);
    if (entry?.size === undefined || entry.size > capBytes) return null;
    return outputOf(await this.#git(["cat-file", "blob", entry.id]), "read a file of the start");
  }

  #fileNow(path: string, capBytes: number): Buffer | null {
    const text = Buffer.concat([Buffer.from(`${this.#root.workspace}/`), pathBytes(path)]);
    const link = linkAt(text, path);
    if (link === undefined) return null;
    if (link.isSymbolicLink()) {
      resolveWritable(this.#root, path.replace(/[^/]*$/, ".handrail"));
      return readlinkSync(text, { encoding: "buffer" });
    }
    const file = resolveExisting(this.#root, path, "workspace");
    return link.isFile() && link.size <= capBytes ? readContent(file).bytes : null;
  }

  #start(): Start | undefined {
    try {
      return Start.parse(JSON.parse(readFileSync(join(this.#state, "baseline.json"), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** What the user's own repository has checked out, if there is one. */
  async #userHead(): Promise<{ commit?: string; branch?: string }> {
    const repository = join(this.#root.workspace, ".git");
    if (lstatSync(repository, { throwIfNoEntry: false }) === undefined) return {};
    const place = `--git-dir=${repository}`;
    const both = await this.#git([place, "rev-parse", "HEAD^{commit}", "--abbrev-ref", "HEAD"]);
    if (both.exitCode === 0) {
      const [commit = "", branch = ""] = both.stdout.toString().split("\n");
      return { commit, ...(branch === DETACHED ? {} : { branch }) };
    }
    const branch = await this.#git([place, "symbolic-ref", "--short", "--quiet", "HEAD"]);
    return branch.exitCode === 0 ? { branch: branch.stdout.toString().trim() } : {};
  }
}

/** What is there itself, no link followed; undefined for nothing. @throws AppError for a path that cannot be one */
function linkAt(place: Buffer, path: string) {
  if (place.includes(0)) throw new AppError("tool_arguments", "A path cannot hold a zero byte.");
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** `name` has one character for each byte; `size` is undefined for another repository. */
type TreeEntry = { readonly id: string; readonly size: number | undefined; readonly name: string };

function treeEntry(line: string): TreeEntry {
  const tab = line.indexOf("\t");
  const [, , id = "", size = ""] = line.slice(0, tab).split(/ +/);
  return { id, size: size === "-" ? undefined : Number(size), name: line.slice(tab + 1) };
}
