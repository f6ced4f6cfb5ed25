import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import { MAX_SNAPSHOT_ENTRIES, type SnapshotRules } from "@handrail/protocol/snapshots";
import { checkSnapshot, reachableTrees, type Counted } from "./closure.ts";
import { Intake } from "./intake.ts";
import type { Lineage } from "./lineage.ts";
import { storedBytes } from "./object-index.ts";

/** A snapshot whose objects are stored. `newBytes` is what it took to store them. */
export type Received = OperationResult<"snapshot.take"> & Counted & { readonly newBytes: number };

const PART_BYTES = 4 * 1024 * 1024;
const PARTS_AHEAD = 2;
/** A piece and a directory for each entry. In bundles very many small ones take hardly any bytes. */
const MAX_OBJECTS = 2 * MAX_SNAPSHOT_ENTRIES;

/** All directories are in memory at once: a million entries of some 400 bytes. */
const LIMITS = { entries: MAX_SNAPSHOT_ENTRIES, treeBytes: 384 * 1024 * 1024 };

/** What a snapshot is taken with. `base`: what the workspace was at last. */
export type Wanted = {
  readonly rules: SnapshotRules;
  readonly base: string | null;
  /** More are refused. */
  readonly maxObjects?: number;
  /** Of all objects, unpacked. By itself what the rules allow, with room for headers and directories. */
  readonly maxBytes?: number;
};

/**
 * Takes a snapshot in a sandbox and stores what is new in it. Nothing that the sandbox says is believed: each object
 * is unpacked within its size, named anew and read strictly, and the whole is checked before any of it counts.
 * @throws AppError `checkpoint_invalid`, `checkpoints_unavailable`, `storage_full`, `limit_reached`
 */
export async function receiveSnapshot(
  lineage: Lineage,
  sandbox: Sandbox,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Received> {
  return storeTaken(lineage, sandbox, { taken: await take(lineage, sandbox, wanted, signal), ...wanted }, signal);
}

/** The same, unless `wanted` refuses the root that the sandbox says: then nothing more is asked of it. */
export async function receiveWanted(
  lineage: Lineage,
  sandbox: Sandbox,
  { wanted, ...how }: Wanted & { readonly wanted: (root: string) => Promise<boolean> },
  signal: AbortSignal,
): Promise<Received | undefined> {
  const taken = await take(lineage, sandbox, how, signal);
  return (await wanted(taken.root)) ? storeTaken(lineage, sandbox, { taken, ...how }, signal) : undefined;
}

/** Frames have headers, and trees come on top of the files. */
const mostBytes = (rules: SnapshotRules) => rules.maxTotalBytes * 1.1 + 512 * 1024 * 1024;

type Taken = OperationResult<"snapshot.take">;

async function take(lineage: Lineage, sandbox: Sandbox, { rules, base }: Wanted, signal: AbortSignal): Promise<Taken> {
  const trusted = base !== null && (await lineage.objects()).has(base) ? base : null;
  return sandbox.call("snapshot.take", { ...rules, base: trusted }, { signal });
}

async function storeTaken(
  lineage: Lineage,
  sandbox: Sandbox,
  {
    taken,
    rules,
    maxObjects = MAX_OBJECTS,
    maxBytes = mostBytes(rules),
  }: Omit<Wanted, "base"> & { readonly taken: Taken },
  signal: AbortSignal,
): Promise<Received> {
  const known = await lineage.objects();
  if (taken.packBytes > maxBytes) throw tooLarge();
  const room = await lineage.room();
  const intake = new Intake(lineage, known, { ...LIMITS, bytes: maxBytes, objects: maxObjects, room });
  for await (const part of partsOf(sandbox, taken, signal)) await intake.take(part);
  const stored = await intake.end();
  const objects = (name: string) => stored.get(name) ?? known.get(name);
  const trees = await reachableTrees(taken.root, (names) => intake.trees(names));
  const { checked, ...counted } = await checkSnapshot(taken.root, trees, objects, lineage.checked);
  // Few pieces can make very many files.
  if (counted.bytes > maxBytes) throw tooLarge();
  await lineage.addIndex(stored);
  lineage.remember(trees);
  intake.rememberFrames();
  lineage.rememberChecked(checked);
  return { ...taken, ...counted, newBytes: await storedBytes(stored.values()) };
}

const tooLarge = () => new AppError("checkpoint_invalid", "The snapshot is larger than it may be.");

/** The frames, in parts as they come; the next ones are on their way meanwhile. */
async function* partsOf(
  sandbox: Sandbox,
  { root, packBytes }: OperationResult<"snapshot.take">,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const offsets = Array.from({ length: Math.ceil(packBytes / PART_BYTES) }, (_, index) => index * PART_BYTES);
  const ask = async (offset: number) => {
    const { data } = await sandbox.call("snapshot.read", { root, offset, length: PART_BYTES }, { signal });
    const bytes = Buffer.from(data, "base64");
    if (bytes.length === Math.min(PART_BYTES, packBytes - offset)) return bytes;
    throw new AppError("checkpoint_invalid", "The sandbox gave less of the snapshot than it said.");
  };
  const waiting: Promise<Buffer>[] = [];
  for (const offset of offsets) {
    const part = ask(offset);
    part.catch(() => undefined);
    waiting.push(part);
    if (waiting.length > PARTS_AHEAD) yield await (waiting.shift() ?? part);
  }
  for (const part of waiting) yield await part;
}
