import type { SnapshotFile } from "@handrail/protocol/snapshots";
import type { KnownEntry, KnownTree } from "./known-tree.ts";
import type { Place } from "./open-places.ts";
import type { PlannedEntry } from "./restore-plan.ts";
import { JobBuilder } from "./write-job.ts";

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

/** Files that are written together. */
export class Batch {
  readonly job = new JobBuilder();
  readonly files: { readonly name: string; readonly entry: SnapshotFile; readonly planned: PlannedEntry }[] = [];
  bytes = 0;
}

/** It is waited for at the end; until then nobody else minds that it fails. */
export function later({ later: all }: Work, work: Promise<unknown>): void {
  work.catch(() => {});
  all.push(work);
}
