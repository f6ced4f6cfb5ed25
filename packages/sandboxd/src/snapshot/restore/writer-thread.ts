// A thread that writes files into directories which the main one has open: `Writer` starts it and says which.
import { parentPort, workerData } from "node:worker_threads";
import { openNative } from "../native/native.ts";
import { OpenBundles } from "../objects/open-bundles.ts";
import { filesWriter } from "./write-files.ts";
import type { WriteJob, WriteReply } from "../native/write-job.ts";

const write = filesWriter(await openNative());
const bundles = new OpenBundles();
const ends = workerData as Int32Array;

parentPort?.on("message", (job: WriteJob) => {
  const reply: WriteReply = { id: job.id, stats: write(job, bundles) };
  Atomics.add(ends, 0, 1);
  parentPort?.postMessage(reply, [reply.stats.buffer]);
});
