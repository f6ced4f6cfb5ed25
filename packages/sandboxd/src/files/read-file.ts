import { createHash } from "node:crypto";
import { closeSync, read } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { BINARY_PROBE_BYTES, hashOf, isBinary, openRegular, readAt, withFile, type OpenFile } from "./file-content.ts";
import { fileError } from "./file-error.ts";
import { imageType } from "./image-type.ts";
import { LineWindow } from "./line-window.ts";
import { resolveExisting, type Resolved, type Root } from "./resolve-path.ts";

const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
const MAX_PART_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

type Part = OperationResult<"file.read">;

/** The operation `file.read`. Files of any size: only the lines that were asked for are held. */
export async function readFilePart(
  root: Root,
  args: OperationArgs<"file.read">,
  signal?: AbortSignal,
): Promise<OperationResult<"file.read">> {
  const path = resolveExisting(root, args.path, args.within);
  const opened = openRegular(path);
  try {
    return imageIn(opened, path) ?? (await linesIn(opened, path, args, signal));
  } finally {
    closeSync(opened.file);
  }
}

/** The operation `file.bytes`. */
export function readFileBytes(root: Root, args: OperationArgs<"file.bytes">): OperationResult<"file.bytes"> {
  const path = resolveExisting(root, args.path, args.within);
  return withFile(path, (file, stat) => {
    const length = Math.max(0, Math.min(args.length, MAX_PART_BYTES, stat.size - args.offset));
    return { path: path.shown, size: stat.size, data: readAt(file, args.offset, length).toString("base64") };
  });
}

/** Undefined for text. @throws AppError `file_binary` */
function imageIn({ file, stat }: OpenFile, path: Resolved): Part | undefined {
  const head = readHead(file, path);
  const mediaType = imageType(head);
  if (mediaType === undefined && !isBinary(head)) return undefined;
  if (mediaType === undefined || stat.size > MAX_IMAGE_BYTES) {
    const message = "This is a binary file, which cannot be shown as text. Use a command to look into it.";
    throw new AppError("file_binary", message, { path: path.shown, size: stat.size });
  }
  const bytes = readAt(file, 0, stat.size);
  const whole = { path: path.shown, hash: hashOf(bytes), size: bytes.length };
  const image = { mediaType, data: bytes.toString("base64") };
  return { ...whole, image, fromLine: 1, lines: 0, totalLines: 0, cutLines: 0 };
}

function readHead(file: number, path: Resolved): Buffer {
  try {
    return readAt(file, 0, BINARY_PROBE_BYTES);
  } catch (thrown) {
    throw fileError(thrown, path.shown);
  }
}

async function linesIn(
  { file }: OpenFile,
  path: Resolved,
  args: OperationArgs<"file.read">,
  signal: AbortSignal | undefined,
): Promise<Part> {
  const hash = createHash("sha256");
  const window = new LineWindow(args);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let size = 0;
  for (;;) {
    signal?.throwIfAborted();
    const count = await readChunk(file, chunk, size, path);
    if (count === 0) break;
    hash.update(chunk.subarray(0, count));
    window.push(chunk.subarray(0, count));
    size += count;
  }
  return { path: path.shown, hash: hash.digest("hex"), size, fromLine: args.fromLine, ...window.end() };
}

async function readChunk(file: number, chunk: Buffer, position: number, path: Resolved): Promise<number> {
  try {
    return await new Promise<number>((resolve, reject) => {
      read(file, chunk, 0, chunk.length, position, (error, count) => (error === null ? resolve(count) : reject(error)));
    });
  } catch (thrown) {
    throw fileError(thrown, path.shown);
  }
}
