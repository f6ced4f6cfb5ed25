import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeObjectFrame, objectFrames } from "@handrail/protocol/sandboxd/object-frames";
import { onTestFinished } from "vitest";
import type { CallContext } from "../handlers.ts";
import { asKept } from "./as-kept.ts";
import { snapshotOperations, type SnapshotSurroundings } from "../snapshot/snapshot-operations.ts";

export const RULES = { maxFileBytes: 100_000, maxTotalBytes: 10_000_000 };
export const CALL: CallContext = { id: "k", signal: new AbortController().signal, feed: () => {} };

/** A workspace without files and the operations on it; both go after the test. */
export function place(around?: SnapshotSurroundings) {
  const directory = mkdtempSync(join(tmpdir(), "handrail-snapshot-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [workspace, state] = [join(directory, "workspace"), join(directory, "state")];
  mkdirSync(workspace);
  mkdirSync(state);
  return { workspace, state, operations: snapshotOperations({ workspace }, state, around) };
}

export type Operations = ReturnType<typeof snapshotOperations>;

/** Takes a snapshot and gives the frames of what is new in it, as a server would keep them. */
export async function take(operations: Operations, base: string | null, rules = RULES) {
  const taken = await operations["snapshot.take"]({ base, ...rules }, CALL);
  const frames: Buffer[] = [];
  for (let offset = 0; offset < taken.packBytes; offset += frames.at(-1)?.length ?? 0) {
    const { data } = await operations["snapshot.read"]({ root: taken.root, offset, length: 100_000 }, CALL);
    frames.push(Buffer.from(data, "base64"));
  }
  await operations["snapshot.keep"]({ root: taken.root }, CALL);
  return { ...taken, frames: asKept(Buffer.concat(frames)) };
}

export async function restore(operations: Operations, root: string, frames: Buffer, rules = RULES) {
  await operations["snapshot.put"]({ offset: 0, data: frames }, CALL);
  return operations["snapshot.restore"]({ root, ...rules }, CALL);
}

/** Frames with those of directories first, as a server sends them, and where the first piece is. */
export function directoriesFirst(frames: Buffer): { readonly all: Buffer; readonly piecesAt: number } {
  const sorted = objectFrames().take(frames);
  const [trees, blobs] = (["tree", "blob"] as const).map((kind) =>
    Buffer.concat(sorted.filter((frame) => frame.kind === kind).map((frame) => encodeObjectFrame(frame))),
  );
  return { all: Buffer.concat([trees!, blobs!]), piecesAt: trees!.length };
}

/** Puts objects in parts that end at these places; the first part has all directories. */
export async function fill(operations: Operations, root: string, all: Buffer, ends: readonly number[]) {
  let offset = 0;
  for (const end of ends) {
    const data = all.subarray(offset, end);
    const first = offset === 0 ? { fill: { root, ...RULES } } : {};
    ({ size: offset } = await operations["snapshot.put"]({ offset, data, ...first }, CALL));
  }
}
