import { posix } from "node:path";
import { pathText } from "@handrail/protocol/paths";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { resolveExisting, type Root } from "../files/resolve-path.ts";
import { EVERYWHERE, type Ripgrep } from "./ripgrep.ts";

const MAX_RAW_BYTES = 32 * 1024 * 1024;

/** The operation `search.files`. A glob without a slash is for names, at any depth. */
export async function searchFiles(
  root: Root,
  run: Ripgrep,
  args: OperationArgs<"search.files">,
  signal: AbortSignal,
): Promise<OperationResult<"search.files">> {
  const base = resolveExisting(root, args.path, "workspace");
  const found = await run(
    ["--files", "--null", ...EVERYWHERE, "--sortr", "modified", "--", base.shown],
    MAX_RAW_BYTES,
    signal,
  );
  const all = found.stdout.toString("latin1").split("\0").slice(0, -1);
  const paths = all
    .map((path) => pathText(Buffer.from(path.replace(/^\.\//, ""), "latin1")))
    .filter(matcher(args.glob));
  return { paths: paths.slice(0, args.limit), more: paths.length > args.limit || found.cut };
}

function matcher(glob: string): (path: string) => boolean {
  const pattern = glob.replace(/^\.?\//, "");
  if (!pattern.includes("/")) return (path) => posix.matchesGlob(posix.basename(path), pattern);
  return (path) => posix.matchesGlob(path, pattern);
}
