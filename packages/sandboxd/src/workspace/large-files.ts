import { lstatSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { type LeftOutFiles, MAX_COMPARED_BYTES } from "@handrail/protocol/left-out-files";
import { MAX_SAID_PATH, textOfBytes } from "@handrail/protocol/snapshots";
import { outputOf, type RunGit } from "./private-git.ts";

/** Git compares each with every path. */
const MAX_FILES = 1000;
const MAX_TOLD = 100;
const UNIT = 1024;

/**
 * Given to git where it reads files, so that it ends as soon as it meets one that is too large: to look at the sizes of all
 * before would take as long as all the rest. It reads files whole below the threshold, and of the user's packs small windows.
 * Source: git's wrapper.c, mmap_limit_check
 */
export const ONLY_SMALL_FILES = {
  settings: ["-c", "core.bigFileThreshold=1000000g", "-c", "core.packedGitWindowSize=32m"],
  env: { GIT_MMAP_LIMIT: String(MAX_COMPARED_BYTES) },
} as const;

/** Files of the workspace that are too large to be compared, by path, one character for each byte. */
export class LargeFiles {
  readonly #workspace: string;
  readonly #git: RunGit;
  #sizes = new Map<string, number>();

  constructor(workspace: string, git: RunGit) {
    this.#workspace = workspace;
    this.#git = git;
  }

  get paths(): readonly string[] {
    return [...this.#sizes.keys()];
  }

  /** Undefined when there are none. */
  get told(): LeftOutFiles | undefined {
    if (this.#sizes.size === 0) return undefined;
    const all = Array.from(this.#sizes, ([path, bytes]) => ({
      path: textOfBytes(path),
      reason: "large" as const,
      bytes,
    }));
    const files = all.filter(({ path }) => path.length <= MAX_SAID_PATH).slice(0, MAX_TOLD);
    return { files, count: this.#sizes.size };
  }

  /** Forgets those that are gone or small by now. */
  lookAgain(): void {
    this.#sizes = this.#largeOf(this.#sizes.keys());
  }

  /** Looks for more. Gives those that were not known. @throws AppError `file_too_large` when they are very many */
  async find(): Promise<readonly string[]> {
    const listings = [
      ["diff-files", "--name-only", "-z"],
      ["ls-files", "-z", "--others", "--exclude-standard"],
    ];
    const lists = await Promise.all(listings.map(async (args) => outputOf(await this.#git(args), "list files")));
    const paths = lists.flatMap((list) => list.toString("latin1").split("\0").slice(0, -1));
    const found = [...this.#largeOf(paths)].filter(([path]) => !this.#sizes.has(path));
    for (const [path, bytes] of found) this.#sizes.set(path, bytes);
    if (this.#sizes.size > MAX_FILES) throw tooMany();
    return found.map(([path]) => path);
  }

  #largeOf(paths: Iterable<string>): Map<string, number> {
    const large = new Map<string, number>();
    for (const path of paths) {
      const bytes = this.#sizeOf(path);
      if (bytes > MAX_COMPARED_BYTES) large.set(path, bytes);
    }
    return large;
  }

  #sizeOf(path: string): number {
    try {
      const stat = lstatSync(Buffer.concat([Buffer.from(`${this.#workspace}/`), Buffer.from(path, "latin1")]));
      return stat.isFile() ? stat.size : 0;
    } catch {
      return 0;
    }
  }
}

const tooMany = () =>
  new AppError(
    "file_too_large",
    `Over ${MAX_FILES} files are larger than ${MAX_COMPARED_BYTES / UNIT ** 2} MiB. Let .gitignore name them.`,
  );
