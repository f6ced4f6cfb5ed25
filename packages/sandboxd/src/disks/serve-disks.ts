import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { type DiskAnswer, DiskRequest, NumberedRequest } from "@handrail/protocol/sandboxd/disk-messages";
import { openDiskCalls } from "./disk-calls.ts";
import { type Disks, openDisks } from "./disks.ts";

/** Without a request for so long it ends: its server has no use for it, or was cut off. Another takes some 250 ms to start. */
const IDLE_MS = 600_000;
/** The same while a disk is mounted, in which first files arrive. */
const IDLE_MOUNTED_MS = 3_600_000;

const NOT_UNDERSTOOD = "The helper that mounts disks does not understand what it is asked.";

/** Mounts disks for the server on standard input and output, until that leaves or asks for nothing any more. */
export async function serveDisks(volumes: string): Promise<void> {
  const disks = openDisks({ volumes, devices: "/dev" }, await openDiskCalls());
  await answerDisks(disks, process.stdin, process.stdout);
}

/** Ends when the input does, or nothing was asked for long; nothing is left mounted then. */
export async function answerDisks(disks: Disks, input: Readable, output: Writable): Promise<void> {
  const running = new Set<Promise<void>>();
  const lines = createInterface({ input });
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => lines.close(), disks.mounted.size > 0 ? IDLE_MOUNTED_MS : IDLE_MS);
  };
  wait();
  lines.on("line", (line) => {
    const work = answer(disks, line).then((answered) => {
      output.write(`${JSON.stringify(answered)}\n`);
      running.delete(work);
      wait();
    });
    running.add(work);
  });
  await new Promise<void>((resolve) => {
    lines.once("close", resolve);
    output.once("error", () => resolve());
  });
  clearTimeout(timer);
  await Promise.all(running);
  clearTimeout(timer);
  await disks.do({ id: 0, type: "release", volumes: [...disks.mounted], forget: false });
}

async function answer(disks: Disks, line: string): Promise<DiskAnswer> {
  const { id, request } = readRequest(line);
  if (request === undefined) return { id, code: "sandboxd_mismatch", message: NOT_UNDERSTOOD };
  try {
    await disks.do(request);
    return { id };
  } catch (thrown) {
    const code = thrown instanceof AppError && thrown.code === "disk_full" ? thrown.code : "sandbox_failed";
    return { id, code, message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** The request is undefined when it is not understood. */
function readRequest(line: string): { readonly id: number; readonly request: DiskRequest | undefined } {
  try {
    const value: unknown = JSON.parse(line);
    const { data: numbered } = NumberedRequest.safeParse(value);
    return { id: numbered?.id ?? 0, request: DiskRequest.safeParse(value).data };
  } catch {
    return { id: 0, request: undefined };
  }
}
