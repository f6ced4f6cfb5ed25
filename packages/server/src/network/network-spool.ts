import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Clock } from "@handrail/core/ports/clock";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import { replaceFile } from "../settings/json-file.ts";
import { type BegunLine, type SpoolEntry, type SpoolLine, spoolLines, spoolText } from "./spool-lines.ts";

/** What is known of a request before it goes out. */
export type BegunNetworkRequest = BegunLine["request"];

/** Bytes so far on the connection to the host. */
export type ByteCount = () => Pick<NetworkRequest, "bytesUp" | "bytesDown">;

/**
 * A file that requests are written to at once, since they come to their logs in batches: a server that is killed finds
 * there what is in no log yet. What is written stays when the process is killed; nothing waits for the disk.
 */
export type NetworkSpool = {
  /** Stays the same as long as the file does. */
  readonly id: string;
  /** What an earlier start of the server wrote and had not put into logs. Requests that were under way end there as `cut`. */
  readonly left: readonly SpoolEntry[];
  /** The file is long, and may be written anew with what is still to be put into logs. */
  readonly isLong: boolean;
  /** Gives the request's number; undefined when it could not be written. `bytes` is asked now and then, until it is over. */
  begin(conversationId: string, request: BegunNetworkRequest, bytes: ByteCount): number | undefined;
  /** A request that is over; `begun` is its number, unless it never went out. Numbers of entries always grow. */
  end(conversationId: string, request: NetworkRequest, begun?: number): SpoolEntry;
  /** What was begun is nothing to be listed. */
  drop(begun: number): void;
  /** All entries of the conversation up to this number are in its log, or need not be. */
  written(conversationId: string, upTo: number): void;
  shorten(unwritten: readonly SpoolEntry[]): void;
  close(): void;
};

const LONG_BYTES = 1024 * 1024;
/** Nothing goes out any more when the file is so long: logs cannot be written, and it could not be made shorter. */
const MAX_BYTES = 64 * 1024 * 1024;
const BYTES_EVERY_MS = 1000;

/** @throws AppError `storage_full`, `storage_failed` */
export async function openSpool(path: string, clock: Pick<Clock, "now">): Promise<NetworkSpool> {
  const before = spoolLines(await readFile(path, "utf8").catch(() => ""));
  const id = before.spool ?? randomBytes(8).toString("hex");
  const text = spoolText([{ type: "spool", spool: id, next: before.next }, ...before.left.map(endLine)]);
  await replaceFile(path, text);
  const file = lineFile(path, Buffer.byteLength(text));
  let { next } = before;
  const underWay = new Map<number, UnderWay>();
  const timer = setInterval(() => noteBytes(file, underWay, clock.now()), BYTES_EVERY_MS).unref();
  return {
    id,
    left: before.left,
    get isLong() {
      return file.isLong;
    },
    begin(conversationId, request, bytes) {
      const line: BegunLine = { type: "begin", id: next, conversationId, request };
      if (!file.append(line)) return undefined;
      underWay.set(next, { line, bytes, said: 0 });
      next += 1;
      return line.id;
    },
    end(conversationId, request, begun) {
      const entry: SpoolEntry = { n: next, conversationId, request, ...(begun === undefined ? {} : { id: begun }) };
      next += 1;
      if (begun !== undefined) underWay.delete(begun);
      file.append(endLine(entry));
      return entry;
    },
    drop(begun) {
      if (underWay.delete(begun)) file.append({ type: "drop", id: begun });
    },
    written: (conversationId, upTo) => void file.append({ type: "written", conversationId, n: upTo }),
    shorten(unwritten) {
      const open = Array.from(underWay.values(), ({ line }) => line);
      for (const one of underWay.values()) one.said = 0;
      file.replace([{ type: "spool", spool: id, next }, ...open, ...unwritten.map(endLine)]);
    },
    close() {
      clearInterval(timer);
      file.close();
    },
  };
}

type UnderWay = { readonly line: BegunLine; readonly bytes: ByteCount; said: number };

const endLine = (entry: SpoolEntry): SpoolLine => ({ type: "end", ...entry });

/** Of what has sent or received something since it was last looked at. */
function noteBytes(file: LineFile, underWay: ReadonlyMap<number, UnderWay>, now: number): void {
  for (const [id, one] of underWay) {
    const bytes = one.bytes();
    const sum = bytes.bytesUp + bytes.bytesDown;
    if (sum === one.said) continue;
    one.said = sum;
    file.append({ type: "bytes", id, ...bytes, durationMs: Math.max(0, now - one.line.request.at) });
  }
}

type LineFile = {
  readonly isLong: boolean;
  /** False when it could not be written whole. */
  append(line: SpoolLine): boolean;
  /** Leaves the file as it is when the new one cannot be written. */
  replace(lines: readonly SpoolLine[]): void;
  close(): void;
};

function lineFile(path: string, length: number): LineFile {
  let file = openSync(path, "a", 0o600);
  let bytes = length;
  let longFrom = 2 * length + LONG_BYTES;
  /** A line was written in part: the next one must not be taken for its rest. */
  let torn = false;
  return {
    get isLong() {
      return bytes >= longFrom;
    },
    append(line) {
      if (bytes >= MAX_BYTES) return false;
      const text = Buffer.from(`${torn ? "\n" : ""}${spoolText([line])}`);
      const done = writeOrNothing(file, text);
      bytes += done;
      torn = done === 0 ? torn : done < text.length;
      return done === text.length;
    },
    replace(lines) {
      const text = spoolText(lines);
      // A replacement that fails is not tried again at each request.
      longFrom = 2 * bytes + LONG_BYTES;
      try {
        writeFileSync(`${path}.new`, text, { mode: 0o600 });
        const fresh = openSync(`${path}.new`, "a");
        renameSync(`${path}.new`, path);
        closeSync(file);
        file = fresh;
      } catch {
        return;
      }
      bytes = Buffer.byteLength(text);
      longFrom = 2 * bytes + LONG_BYTES;
      torn = false;
    },
    close: () => closeSync(file),
  };
}

/** How many bytes were written: fewer than there are when the disk is full. */
function writeOrNothing(file: number, text: Uint8Array): number {
  try {
    return writeSync(file, text);
  } catch {
    return 0;
  }
}
