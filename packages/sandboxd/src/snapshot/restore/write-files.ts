import { writeFresh } from "./fresh-file.ts";
import type { Native } from "../native/native.ts";
import { contentOf, type OpenBundles } from "../objects/open-bundles.ts";
import { QuickWriter } from "../native/quick-writer.ts";
import { emptyStats, encodeStat, FILE, FILE_NUMBERS, type Stats, timeIn, type WriteJob } from "../native/write-job.ts";

/**
 * Writes the files of a job, each whole or not at all, and says what they then are. One that is not written, whatever the
 * reason, can be tried alone: then the reason is told.
 */
export type WriteFiles = (job: WriteJob, opened: OpenBundles) => Stats;

/** By the C library where there is one, else by the file module. */
export function filesWriter(native: Native): WriteFiles {
  if (native.quick === undefined) return (job, opened) => writePlainly(job, opened, native);
  const quick = new QuickWriter(native.quick);
  return (job, opened) => quick.write(job, opened);
}

function writePlainly(job: WriteJob, opened: OpenBundles, native: Native): Stats {
  const stats = emptyStats(job);
  const { directory } = job;
  const names = Buffer.from(job.names).toString("latin1").split("\0").slice(0, -1);
  for (const [index, name] of names.entries()) {
    try {
      const mode = job.numbers[index * FILE_NUMBERS + FILE.mode] ?? 0;
      const file = { mode, mtime: String(timeIn(job, index)), pieces: [contentIn(job, index, opened)] };
      const stat = writeFresh({ directory, name }, file, native);
      if (stat !== undefined) encodeStat(stats, index, stat);
    } catch {
      // It is tried alone.
    }
  }
  return stats;
}

function contentIn({ numbers, content, bundles }: WriteJob, index: number, opened: OpenBundles): Uint8Array {
  const [source = 0, at = 0, bytes = 0] = numbers.subarray(index * FILE_NUMBERS + FILE.source);
  const bundle = bundles[source - 1];
  return bundle === undefined ? content.subarray(at, at + bytes) : contentOf(opened.frame({ bundle, at, bytes }));
}
