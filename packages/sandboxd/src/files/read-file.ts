import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { hashOf, isBinary, readAt, readContent, withFile } from "./file-content.ts";
import { resolveExisting, type Root } from "./resolve-path.ts";

const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
const MAX_LINE = 2000;
const MAX_PART_BYTES = 4 * 1024 * 1024;

/** The operation `file.read`. */
export function readFilePart(root: Root, args: OperationArgs<"file.read">): OperationResult<"file.read"> {
  const path = resolveExisting(root, args.path, args.within);
  const { bytes } = readContent(path);
  const whole = { path: path.shown, hash: hashOf(bytes), size: bytes.length };
  const mediaType = imageType(bytes);
  if (mediaType !== undefined && bytes.length <= MAX_IMAGE_BYTES) {
    const image = { mediaType, data: bytes.toString("base64") };
    return { ...whole, image, fromLine: 1, lines: 0, totalLines: 0, cutLines: 0 };
  }
  if (mediaType !== undefined || isBinary(bytes)) {
    throw new AppError("file_binary", "This is a binary file.", { path: path.shown, size: bytes.length });
  }
  return { ...whole, fromLine: args.fromLine, ...linesOf(bytes, args) };
}

/** The operation `file.bytes`. */
export function readFileBytes(root: Root, args: OperationArgs<"file.bytes">): OperationResult<"file.bytes"> {
  const path = resolveExisting(root, args.path, args.within);
  return withFile(path, (file, stat) => {
    const length = Math.max(0, Math.min(args.length, MAX_PART_BYTES, stat.size - args.offset));
    return { path: path.shown, size: stat.size, data: readAt(file, args.offset, length).toString("base64") };
  });
}

type Range = { readonly fromLine: number; readonly maxLines: number; readonly capBytes: number };

function linesOf(bytes: Buffer, range: Range) {
  const parts: string[] = [];
  let held = 0;
  let cutLines = 0;
  let line = 0;
  let full = false;
  for (let at = 0; at < bytes.length; line++) {
    const end = bytes.indexOf(10, at);
    const next = end < 0 ? bytes.length : end + 1;
    full ||= parts.length >= range.maxLines;
    if (line + 1 >= range.fromLine && !full) {
      const part = shortened(bytes.subarray(at, next));
      full = held + part.text.length > range.capBytes && parts.length > 0;
      if (!full) {
        parts.push(part.text);
        held += Buffer.byteLength(part.text);
        cutLines += part.cut ? 1 : 0;
      }
    }
    at = next;
  }
  return { text: parts.join(""), lines: parts.length, totalLines: line, cutLines };
}

/** A line with its end, cut in its middle when it is longer than a reader would want. */
function shortened(line: Buffer): { readonly text: string; readonly cut: boolean } {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(line.subarray(0, MAX_LINE * 4 + 8));
  const body = text.replace(/\r?\n$/, "");
  if (body.length <= MAX_LINE) return { text, cut: false };
  return { text: `${body.slice(0, MAX_LINE)}${line.at(-1) === 10 ? "\n" : ""}`, cut: true };
}

/** The type of an image by its first bytes (WHATWG MIME Sniffing §6.1). */
function imageType(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 12).toString("latin1");
  if (head.startsWith("\u0089PNG\r\n\u001a\n")) return "image/png";
  if (head.startsWith("\u00ff\u00d8\u00ff")) return "image/jpeg";
  if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) return "image/gif";
  return head.startsWith("RIFF") && head.endsWith("WEBP") ? "image/webp" : undefined;
}
