import { z } from "zod";
import { defineTool, textAnswer, type ToolAnswer, type ToolContext } from "./tool.ts";

const CAP_BYTES = 16_000;

const schema = z.strictObject({
  pattern: z.string().min(1).optional().describe("regular expression, in file contents"),
  glob: z.string().min(1).optional().describe("file names, such as src/**/*.ts"),
  path: z.string().min(1).optional(),
  ignore_case: z.boolean().optional(),
  context_lines: z.number().int().min(0).max(20).optional(),
});
type Args = z.infer<typeof schema>;

/** Searches file contents, or file names when only a glob is given. */
export const search = defineTool<Args>({
  name: "search",
  place: "sandbox",
  parallel: true,
  description:
    "Search file contents with `pattern` (and `glob` to narrow), or list files by `glob` alone. Ignored files are left out.",
  schema: schema.refine(
    (args) => args.pattern !== undefined || args.glob !== undefined,
    "Give a pattern, or a glob, or both.",
  ),
  run: (args, context) => (args.pattern === undefined ? names(args, context) : contents(args, args.pattern, context)),
});

async function names(args: Args, { sandbox, options }: ToolContext): Promise<ToolAnswer> {
  const found = await sandbox.call(
    "search.files",
    { glob: args.glob ?? "**", path: args.path ?? ".", limit: 500 },
    options,
  );
  const more = found.more ? "\n[more files match; narrow the glob]" : "";
  const text = found.paths.length === 0 ? "No files match." : found.paths.join("\n") + more;
  return textAnswer(text, { matches: found.paths.length });
}

async function contents(args: Args, pattern: string, { sandbox, options }: ToolContext): Promise<ToolAnswer> {
  const found = await sandbox.call(
    "search.content",
    {
      pattern,
      path: args.path ?? ".",
      ...(args.glob === undefined ? {} : { glob: args.glob }),
      ignoreCase: args.ignore_case ?? false,
      contextLines: args.context_lines ?? 0,
      limit: 200,
      capBytes: CAP_BYTES,
    },
    options,
  );
  const more = found.more ? "\n[more lines match; narrow the search]" : "";
  return textAnswer(found.matches === 0 ? "No lines match." : found.text.trimEnd() + more, { matches: found.matches });
}
