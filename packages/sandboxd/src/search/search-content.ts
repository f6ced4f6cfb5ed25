import { pathText } from "@handrail/protocol/paths";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { resolveExisting, type Root } from "../files/resolve-path.ts";
import { EVERYWHERE, type Ripgrep } from "./ripgrep.ts";

type Args = OperationArgs<"search.content">;

const MAX_COLUMNS = 400;
const LINES = ["--sort", "path", "--no-heading", "--with-filename", "--line-number", "--null"];
const OUTPUT_FORM = [...LINES, "--max-columns", String(MAX_COLUMNS), "--max-columns-preview"];
/** What is read of ripgrep's output before it is cut to the caller's cap. */
const MAX_RAW_BYTES = 8 * 1024 * 1024;

/** The operation `search.content`. */
export async function searchContent(
  root: Root,
  run: Ripgrep,
  args: Args,
  signal: AbortSignal,
): Promise<OperationResult<"search.content">> {
  const path = resolveExisting(root, args.path, "workspace");
  const found = await run(argumentsOf(args, path.shown), MAX_RAW_BYTES, signal);
  const result = new Result(args);
  for (const line of linesOf(found.stdout)) if (!result.take(line)) break;
  return result.done(found.cut);
}

function argumentsOf(args: Args, path: string): string[] {
  return [
    ...EVERYWHERE,
    ...OUTPUT_FORM,
    ...(args.ignoreCase ? ["--ignore-case"] : []),
    ...(args.contextLines > 0 ? ["--context", String(args.contextLines)] : []),
    ...globArguments(args.glob),
    "-e",
    args.pattern,
    "--",
    path,
  ];
}

/** A glob of names is given as a file type, which ignored files do not match; `--glob` would bring them in. */
function globArguments(glob: string | undefined): string[] {
  if (glob === undefined) return [];
  if (/[/!:]/.test(glob)) return ["--glob", glob];
  return ["--type-add", `wanted:${glob}`, "--type", "wanted"];
}

class Result {
  readonly #args: Args;
  readonly #lines: string[] = [];
  readonly #files = new Set<string>();
  #bytes = 0;
  #matches = 0;
  #more = false;

  constructor(args: Args) {
    this.#args = args;
  }

  /** @returns false when no more lines fit */
  take(line: Buffer): boolean {
    const zero = line.indexOf(0);
    const path = zero < 0 ? "" : pathText(line.subarray(0, zero)).replace(/^\.\//, "");
    const rest = line
      .subarray(zero + 1)
      .toString()
      .replace(/\r$/, "");
    const isMatch = zero >= 0 && /^\d+:/.test(rest);
    const text = zero < 0 ? rest : `${path}${isMatch ? ":" : "-"}${rest}`;
    const size = Buffer.byteLength(text) + 1;
    this.#more = (isMatch && this.#matches >= this.#args.limit) || this.#bytes + size > this.#args.capBytes;
    if (this.#more) return false;
    this.#lines.push(text);
    this.#bytes += size;
    if (isMatch) this.#files.add(path);
    this.#matches += isMatch ? 1 : 0;
    return true;
  }

  done(cut: boolean): OperationResult<"search.content"> {
    const text = this.#lines.join("\n");
    return { text, matches: this.#matches, files: this.#files.size, more: this.#more || cut };
  }
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at);
    yield bytes.subarray(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length : end + 1;
  }
}
