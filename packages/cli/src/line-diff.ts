import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";

/** Whatever the user has set for git. */
const PLAIN = ["--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--unified=3", "--diff-algorithm=default"];
const MOST_BYTES = 64 * 1024 ** 2;

/**
 * How one text becomes another, as a unified diff without file headers; empty where they are the same.
 * @throws AppError `internal` where git cannot be run
 */
export async function lineDiff(before: Uint8Array, after: Uint8Array): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-diff-"));
  try {
    const [one, other] = [join(directory, "before"), join(directory, "after")];
    await Promise.all([writeFile(one, before), writeFile(other, after)]);
    const said = await gitDiff(directory, one, other);
    const at = said.indexOf("\n@@ ");
    return at === -1 ? "" : said.slice(at + 1);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** It ends with 1 where they differ. */
function gitDiff(directory: string, ...files: readonly string[]): Promise<string> {
  const options = { cwd: directory, maxBuffer: MOST_BYTES };
  return new Promise((resolve, reject) => {
    execFile("git", ["diff", ...PLAIN, "--", ...files], options, (failure, stdout, stderr) => {
      if (failure === null || failure.code === 1) return resolve(stdout);
      const why = stderr.trim() || failure.message;
      reject(new AppError("internal", `The difference could not be made: ${why}`, {}, { cause: failure }));
    });
  });
}
