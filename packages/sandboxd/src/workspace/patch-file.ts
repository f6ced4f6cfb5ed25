import { closeSync, fstatSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { type LeftOutFiles, leftOutText, MAX_PATCH_BYTES } from "@handrail/protocol/left-out-files";
import { readAt } from "../files/file-content.ts";
import { outputOf, QUIET, type RunGit } from "./private-git.ts";

/** `changedBytes`: what the changed files may have together, before and after, since git reads and compresses all of it. */
type Bounds = { readonly changedBytes: number; readonly patchBytes: number };

const BOUNDS: Bounds = { changedBytes: 2 * MAX_PATCH_BYTES, patchBytes: MAX_PATCH_BYTES };
const MAX_PART_BYTES = 4 * 1024 * 1024;
const LOOK_EVERY_MS = 100;
const MEBIBYTE = 1024 ** 2;
const NO_BLOB = /^0+$/;

type Trees = { readonly start: string; readonly now: string; readonly leftOut: LeftOutFiles | undefined };

/** A patch in a file, which is read in parts. */
export class PatchFile {
  readonly #path: string;
  readonly #git: RunGit;
  readonly #bounds: Bounds;

  constructor(path: string, git: RunGit, bounds = BOUNDS) {
    this.#path = path;
    this.#git = git;
    this.#bounds = bounds;
  }

  /**
   * What was left out is said before the first file, where git skips it.
   * @throws AppError `file_too_large`, `git_failed`
   */
  async write({ start, now, leftOut }: Trees): Promise<void> {
    const file = openSync(this.#path, "w", 0o600);
    try {
      await this.#checkSizes(start, now);
      const begin = leftOut === undefined ? 0 : writeSync(file, `${leftOutText(leftOut)}\n\n`);
      await this.#writeDifferences(file, [start, now]);
      if (fstatSync(file).size === begin) ftruncateSync(file, 0);
    } finally {
      closeSync(file);
    }
  }

  /** @throws AppError `bad_request` when none was written */
  read(offset: number, wanted: number): { readonly data: string; readonly size: number } {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size;
    if (size === undefined) throw new AppError("bad_request", "Ask for the patch from its first byte on.");
    const file = openSync(this.#path, "r");
    try {
      const length = Math.max(0, Math.min(wanted, MAX_PART_BYTES, size - offset));
      return { data: readAt(file, offset, length).toString("base64"), size };
    } finally {
      closeSync(file);
    }
  }

  async #checkSizes(start: string, now: string): Promise<void> {
    const listed = await this.#git(["diff-tree", "-r", "-z", "--raw", "--no-renames", start, now]);
    const fields = outputOf(listed, "compare the workspace with its start").toString("latin1").split("\0");
    const blobs = fields.flatMap(blobsIn);
    if (blobs.length === 0) return;
    const asked = await this.#git(["cat-file", "--batch-check=%(objectsize)"], { stdin: `${blobs.join("\n")}\n` });
    // Of another repository nothing is known here, and a patch has only its commit.
    const sizes = outputOf(asked, "look at sizes").toString().split("\n").map(Number).filter(Number.isFinite);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const { changedBytes } = this.#bounds;
    if (bytes <= changedBytes) return;
    const all = `${Math.ceil(bytes / MEBIBYTE)} MiB together, before and after`;
    throw tooLarge(`The changed files have ${all}; ${changedBytes / MEBIBYTE} MiB can become a patch.`, bytes);
  }

  async #writeDifferences(file: number, trees: readonly string[]): Promise<void> {
    const enough = new AbortController();
    const { patchBytes } = this.#bounds;
    const look = () => fstatSync(file).size > patchBytes && enough.abort();
    const timer = setInterval(look, LOOK_EVERY_MS);
    try {
      const args = ["diff-tree", "-r", "-p", "-M", "--binary", "--full-index", ...QUIET, ...trees];
      const done = await this.#git(args, { stdoutFile: file, signal: enough.signal });
      look();
      if (!enough.signal.aborted) outputOf(done, "write a patch");
    } finally {
      clearInterval(timer);
    }
    if (!enough.signal.aborted) return;
    ftruncateSync(file, 0);
    throw tooLarge(`The patch is larger than ${patchBytes / MEBIBYTE} MiB.`, patchBytes);
  }
}

const tooLarge = (sentence: string, size: number) =>
  new AppError("file_too_large", `${sentence} Let .gitignore name what is not part of the result.`, { size });

/** Both sides of one file; a path has none. */
function blobsIn(field: string): readonly string[] {
  const [, before = "", after = ""] = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]/.exec(field) ?? [];
  return [before, after].filter((blob) => blob !== "" && !NO_BLOB.test(blob));
}
