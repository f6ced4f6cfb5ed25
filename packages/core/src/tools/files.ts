import type { ContentPart } from "@handrail/protocol/content";
import { ImageMediaType } from "@handrail/protocol/content";
import type { FileEdit } from "@handrail/protocol/changes";
import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import { z } from "zod";
import { bytesFromBase64 } from "../base64.ts";
import { defineTool, textAnswer, type ToolAnswer, type ToolContext } from "./tool.ts";

const READ_CAP_BYTES = 40_000;
const DEFAULT_LINES = 1000;

const path = z.string().min(1).describe("relative to the workspace, or absolute");

/** Reads a text file with line numbers, or an image. */
export const read = defineTool({
  name: "read",
  place: "sandbox",
  parallel: true,
  description: "Read a text file with line numbers, or an image.",
  schema: z.strictObject({
    path,
    from_line: z.number().int().min(1).optional(),
    max_lines: z.number().int().min(1).max(10_000).optional().describe(`default ${DEFAULT_LINES}`),
  }),
  async run(args, context) {
    const result = await context.sandbox.call(
      "file.read",
      {
        path: args.path,
        fromLine: args.from_line ?? 1,
        maxLines: args.max_lines ?? DEFAULT_LINES,
        capBytes: READ_CAP_BYTES,
        within: "sandbox",
      },
      context.options,
    );
    const content = result.image === undefined ? [numbered(result)] : [await imagePart(result.image, context)];
    return { content, data: { path: result.path, fileHash: result.hash, lines: result.lines } };
  },
});

/** Replaces exact text in a file. */
export const edit = defineTool({
  name: "edit",
  place: "sandbox",
  parallel: false,
  description:
    "Replace exact text in a file. `old_text` must occur once (or give replace_all). Refused if the file changed since you read it: read it again.",
  schema: z.strictObject({
    path,
    old_text: z.string().min(1),
    new_text: z.string(),
    replace_all: z.boolean().optional(),
  }),
  async run(args, context) {
    const result = await context.sandbox.call(
      "file.edit",
      {
        path: args.path,
        oldText: args.old_text,
        newText: args.new_text,
        all: args.replace_all ?? false,
        ...expected(args.path, context),
      },
      context.options,
    );
    const times = result.replaced === 1 ? "" : ` in ${result.replaced} places`;
    return editAnswer(`Edited ${result.path}${times}`, result);
  },
});

/** Writes a whole file. */
export const write = defineTool({
  name: "write",
  place: "sandbox",
  parallel: false,
  description: "Write a whole file, new or old; directories are made. To change a part of a file use edit.",
  schema: z.strictObject({ path, text: z.string() }),
  async run(args, context) {
    const result = await context.sandbox.call(
      "file.write",
      { path: args.path, text: args.text, ...expected(args.path, context) },
      context.options,
    );
    return editAnswer(`${result.edit.created ? "Created" : "Wrote"} ${result.path}`, result);
  },
});

function expected(filePath: string, context: ToolContext): { expectedHash?: string } {
  const hash = context.knownHash(filePath);
  return hash === undefined ? {} : { expectedHash: hash };
}

function editAnswer(done: string, result: { path: string; hash: string; edit: FileEdit }): ToolAnswer {
  return textAnswer(`${done}: +${result.edit.added} -${result.edit.removed} lines.`, {
    path: result.path,
    fileHash: result.hash,
    edits: [result.edit],
  });
}

function numbered(result: OperationResult<"file.read">): ContentPart {
  const lines = (result.text ?? "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  const width = String(result.fromLine + lines.length - 1).length;
  const text = lines.map((line, index) => `${String(result.fromLine + index).padStart(width)}\t${line}`).join("\n");
  return { type: "text", text: `${text}${noteOf(result)}` };
}

function noteOf(result: OperationResult<"file.read">): string {
  if (result.totalLines === 0) return "[the file is empty]";
  const last = result.fromLine + result.lines - 1;
  const part = last < result.totalLines ? `\n[lines ${result.fromLine} to ${last} of ${result.totalLines}]` : "";
  const cut = result.cutLines > 0 ? `\n[${result.cutLines} very long lines are cut]` : "";
  return part + cut;
}

async function imagePart(image: { mediaType: string; data: string }, context: ToolContext): Promise<ContentPart> {
  const mediaType = ImageMediaType.safeParse(image.mediaType);
  if (!mediaType.success) return { type: "text", text: `[an image of type ${image.mediaType}, which cannot be shown]` };
  return { type: "image", blob: await context.putBlob(bytesFromBase64(image.data)), mediaType: mediaType.data };
}
