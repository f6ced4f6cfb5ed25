import type { SnapshotEntry, SnapshotFile } from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree } from "../objects/known-tree.ts";
import type { Place } from "../native/open-places.ts";
import type { PlannedEntry } from "./restore-plan.ts";
import { JobBuilder } from "../native/write-job.ts";

/** A directory that is worked in. `fresh`: there was nothing in it. */
export type Here = {
  readonly place: Place;
  readonly path: string;
  readonly present: KnownTree | undefined;
  readonly fresh: boolean;
};

/** What is in a directory, as far as it is known, and what is still at work on it. */
export type Work = {
  readonly entries: Map<string, KnownEntry>;
  readonly later: Promise<unknown>[];
  batch: Batch;
};

export type Begun<Value> = { readonly done: Promise<Value> };

type BatchedFile = { readonly name: string; readonly entry: SnapshotFile; readonly planned: PlannedEntry };

/** A batch goes when it has so many files, or bytes that are in no bundle; a file over this is written alone. */
const MAX_BATCH_FILES = 128;
const MAX_BATCH_BYTES = 256 * 1024;

/** Whether it can be written together with others: all of its content is one piece, if it has any. */
export function isBatchable(entry: SnapshotEntry): entry is SnapshotFile {
  return entry.type === "file" && entry.blobs.length <= 1 && entry.size <= MAX_BATCH_BYTES;
}

/** Files that are written together. */
export class Batch {
  readonly job = new JobBuilder();
  readonly files: BatchedFile[] = [];
  #bytes = 0;

  /** `piece` as in `JobBuilder`. */
  add(file: BatchedFile, piece: Parameters<JobBuilder["add"]>[2]): void {
    this.job.add(file.name, file.entry, piece);
    this.files.push(file);
    if (piece !== undefined && !("bundle" in piece)) this.#bytes += piece.length;
  }

  get isFull(): boolean {
    return this.files.length >= MAX_BATCH_FILES || this.#bytes >= MAX_BATCH_BYTES;
  }
}

/** It is waited for at the end; until then nobody else minds that it fails. */
export function later({ later: all }: Work, work: Promise<unknown>): void {
  work.catch(() => {});
  all.push(work);
}
