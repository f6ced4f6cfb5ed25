import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import type { Root } from "../files/resolve-path.ts";
import { NOT_GIT, pathGlobArguments, typeArguments } from "./glob-arguments.ts";
import { MatchLines } from "./match-lines.ts";
import type { Ripgrep } from "./ripgrep.ts";
import { searchPlace } from "./search-place.ts";

type Args = OperationArgs<"search.content">;

const LINES = ["--sort", "path", "--no-heading", "--with-filename", "--line-number", "--null"];
const CUT_COLUMNS = ["--max-columns", "400", "--max-columns-preview"];

/** The operation `search.content`. A glob with a slash is relative to the path that is searched. */
export async function searchContent(
  root: Root,
  run: Ripgrep,
  args: Args,
  signal: AbortSignal,
): Promise<OperationResult<"search.content">> {
  const place = searchPlace(root, args.path);
  const found = new MatchLines({ ...args, shown: place.shown });
  const whole = await run({
    cwd: place.cwd,
    args: argumentsOf(args, place.target),
    signal,
    take: (bytes) => found.push(bytes),
  });
  return found.end(whole);
}

function argumentsOf(args: Args, target: string): string[] {
  const options = [...LINES, ...CUT_COLUMNS];
  if (args.ignoreCase) options.push("--ignore-case");
  if (args.contextLines > 0) options.push("--context", String(args.contextLines));
  const globs = args.glob === undefined ? [] : (typeArguments(args.glob) ?? pathGlobArguments(args.glob));
  return [...options, ...globs, ...NOT_GIT, "-e", args.pattern, "--", target];
}
