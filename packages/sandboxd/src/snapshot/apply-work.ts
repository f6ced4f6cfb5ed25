import type { KnownEntry, KnownTree } from "./known-tree.ts";
import type { Place } from "./open-places.ts";
import type { PlannedEntry } from "./restore-plan.ts";
import type { NewFile } from "./write-job.ts";

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
  readonly batch: Batch;
};

export type Begun<Value> = { readonly done: Promise<Value> };

/** Files on their way to another thread. */
export type Batch = { files: (NewFile & { readonly planned: PlannedEntry })[]; bytes: number };

/** It is waited for at the end; until then nobody else minds that it fails. */
export function later({ later: all }: Work, work: Promise<unknown>): void {
  work.catch(() => {});
  all.push(work);
}
