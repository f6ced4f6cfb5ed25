import type { Readable } from "node:stream";
import { PassThrough } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { spawnWhole } from "./spawn-whole.ts";

/** A tree on its way into an archive: what is in `directory` appears under `name`. */
export type TarTree = {
  readonly directory: string;
  /** Relative, without a leading or trailing slash. */
  readonly name: string;
  /** Numeric user and group of everything in it. */
  readonly owner: number;
};

/**
 * Arguments of GNU tar that write a tree to its standard output. Links stay links and keep their targets, names stay
 * the bytes that they are, modes are kept.
 */
export function tarArguments(tree: TarTree): string[] {
  return [
    "--create",
    "--format=gnu",
    "--numeric-owner",
    `--owner=${tree.owner}`,
    `--group=${tree.owner}`,
    // Names only: `S` leaves the targets of symbolic links alone.
    `--transform=s,^\\.,${tree.name},S`,
    `--directory=${tree.directory}`,
    ".",
  ];
}

/** The tree as a tar stream. The stream fails with AppError `sandbox_failed` when the tree cannot be read whole. */
export function tarStream(tree: TarTree): Readable {
  const child = spawnWhole("tar", tarArguments(tree), { stdio: ["ignore", "pipe", "pipe"], env: { LC_ALL: "C" } });
  const output = new PassThrough();
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));
  child.stdout.pipe(output, { end: false });
  child.on("error", (error) => output.destroy(failed(error.message)));
  child.on("close", (code) => (code === 0 ? output.end() : output.destroy(failed(complaint))));
  output.on("close", () => child.kill());
  return output;
}

function failed(complaint: string): AppError {
  const reason = complaint.trim();
  return new AppError("sandbox_failed", `The first files could not be packed for the sandbox: ${reason}`, { reason });
}
