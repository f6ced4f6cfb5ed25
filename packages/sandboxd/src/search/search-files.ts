import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import type { Root } from "../files/resolve-path.ts";
import { NOT_GIT, pathGlobArguments, typeArguments } from "./glob-arguments.ts";
import type { Ripgrep } from "./ripgrep.ts";
import { searchPlace, type SearchPlace } from "./search-place.ts";

const MAX_RAW_BYTES = 32 * 1024 * 1024;
const NEWEST_FIRST = ["--sortr", "modified"];

/** The operation `search.files`. A glob without a slash is for names, at any depth; one with is relative to the path. */
export async function searchFiles(
  root: Root,
  run: Ripgrep,
  args: OperationArgs<"search.files">,
  signal: AbortSignal,
): Promise<OperationResult<"search.files">> {
  const place = searchPlace(root, args.path);
  const list = (options: readonly string[]) => listed(run, place, options, signal);
  const found = await matching(list, args.glob);
  const paths = found.paths.slice(0, args.limit).map((path) => place.shown(Buffer.from(path, "latin1")));
  return { paths, more: !found.whole || found.paths.length > args.limit };
}

type Listed = { readonly paths: readonly string[]; readonly whole: boolean };
type List = (options: readonly string[]) => Promise<Listed>;

/** A glob of paths brings ignored files back: only those that ripgrep also lists without it are meant. */
async function matching(list: List, glob: string): Promise<Listed> {
  const type = typeArguments(glob);
  if (type !== undefined) return list([...NEWEST_FIRST, ...type]);
  const matched = await list([...NEWEST_FIRST, ...pathGlobArguments(glob)]);
  const wanted = await list([]);
  const names = new Set(wanted.paths);
  return { paths: matched.paths.filter((path) => names.has(path)), whole: matched.whole && wanted.whole };
}

/** Paths as ripgrep says them, as latin1. */
async function listed(
  run: Ripgrep,
  place: SearchPlace,
  options: readonly string[],
  signal: AbortSignal,
): Promise<Listed> {
  const parts: Buffer[] = [];
  let size = 0;
  const take = (bytes: Buffer): boolean => {
    parts.push(bytes);
    size += bytes.length;
    return size < MAX_RAW_BYTES;
  };
  const command = ["--files", "--null", ...options, ...NOT_GIT, "--", place.target];
  const whole = await run({ cwd: place.cwd, args: command, signal, take });
  return { paths: Buffer.concat(parts).toString("latin1").split("\0").slice(0, -1), whole };
}
