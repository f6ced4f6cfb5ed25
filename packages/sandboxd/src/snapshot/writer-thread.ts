// A thread that writes files into directories which the main one has open: `Writer` starts it and says which.
import { parentPort, workerData } from "node:worker_threads";
import type { FileStat } from "./file-stat.ts";
import { writeFresh, type FreshFile, type Spot } from "./fresh-file.ts";
import { openNative } from "./native.ts";
import { emptyStats, encodeStat, filesIn, type WriteJob, type WriteReply } from "./write-job.ts";

const native = await openNative();
const ends = workerData as Int32Array;

parentPort?.on("message", (job: WriteJob) => {
  const stats = emptyStats(job.numbers.length / 2);
  let index = 0;
  for (const { name, file } of filesIn(job))
    encodeStat(stats, index++, attempt({ directory: job.directory, name }, file));
  const reply: WriteReply = { id: job.id, stats };
  Atomics.add(ends, 0, 1);
  parentPort?.postMessage(reply, [stats.numbers.buffer, stats.large.buffer]);
});

/** Undefined for what cannot be written: the main thread tries once more, and says why it fails. */
function attempt(spot: Spot, file: FreshFile): FileStat | undefined {
  try {
    return writeFresh(spot, file, native);
  } catch {
    return undefined;
  }
}
