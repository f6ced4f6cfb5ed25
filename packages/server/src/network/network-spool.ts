import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Clock } from "@handrail/core/ports/clock";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import { replaceFile } from "../settings/json-file.ts";
import { type Disk, type LineFile, lineFile, systemDisk } from "./line-file.ts";
import { type BegunLine, type SpoolEntry, type SpoolLine, spoolLines, spoolText } from "./spool-lines.ts";

/** What is known of a request before it goes out. */
export type BegunNetworkRequest = BegunLine["request"];

/** Bytes so far on the connection to the host. */
export type ByteCount = () => Pick<NetworkRequest, "bytesUp" | "bytesDown">;

/**
 * A file that requests are written to at once, since they come to their logs in batches: a server that is killed finds
 * there what is in no log yet. What is written stays when the process is killed, and when the machine loses power once
 * the disk has it: that is seen to every second, and nothing waits for it.
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

const EVERY_MS = 1000;

/** @throws AppError `storage_full`, `storage_failed` */
export async function openSpool(
  path: string,
  clock: Pick<Clock, "now">,
  disk: Disk = systemDisk,
): Promise<NetworkSpool> {
  const before = spoolLines(await readFile(path, "utf8").catch(() => ""));
  const id = before.spool ?? randomBytes(8).toString("hex");
  const text = spoolText([{ type: "spool", spool: id, next: before.next }, ...before.left.map(endLine)]);
  await replaceFile(path, text);
  const file = lineFile(path, Buffer.byteLength(text), disk);
  let { next } = before;
  const underWay = new Map<number, UnderWay>();
  const timer = setInterval(() => keepUp(file, underWay, clock.now()), EVERY_MS).unref();
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

/** Notes the bytes of what has sent or received something since it was last looked at, and has the disk hold all. */
function keepUp(file: LineFile, underWay: ReadonlyMap<number, UnderWay>, now: number): void {
  for (const [id, one] of underWay) {
    const bytes = one.bytes();
    const sum = bytes.bytesUp + bytes.bytesDown;
    if (sum === one.said) continue;
    one.said = sum;
    file.append({ type: "bytes", id, ...bytes, durationMs: Math.max(0, now - one.line.request.at) });
  }
  file.sync();
}
