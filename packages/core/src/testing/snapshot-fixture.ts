import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import {
  encodeObjectFrame,
  type ObjectFrame,
  objectFrames,
  takenFrames,
} from "@handrail/protocol/sandboxd/object-frames";
import type { CallOptions } from "../ports/sandbox.ts";
import { type Calls, callsOf, type OpenSandbox } from "./sandbox-fixture.ts";

export const SNAPSHOT_RULES = { maxFileBytes: 8_000_000, maxTotalBytes: 50_000_000 };

const PART_BYTES = 1024 * 1024;

/** A snapshot as a server keeps it: what it says of itself, and the objects that it brought. */
export type TakenSnapshot = OperationResult<"snapshot.take"> & { readonly objects: readonly ObjectFrame[] };

/** Shorthands for snapshots of one sandbox. */
export type Snapshots = ReturnType<typeof snapshotsOf>;

export function snapshotsOf({ sandbox, unpack }: Pick<OpenSandbox, "sandbox" | "unpack">) {
  const { call } = callsOf(sandbox);
  return {
    /** Takes one and reads it; it is kept then, and may be the `base` of the next. */
    take: async (base: string | null = null, options: Partial<CallOptions> = {}): Promise<TakenSnapshot> => {
      const taken = await call("snapshot.take", { ...SNAPSHOT_RULES, base }, options);
      const objects = await readObjects(call, taken, unpack);
      await call("snapshot.keep", { root: taken.root });
      return { ...taken, objects };
    },
    put: (bytes: Uint8Array) => put(call, bytes),
    /** Makes the workspace what the snapshot says, with these objects put before. */
    restore: async (root: string, objects: readonly ObjectFrame[], options: Partial<CallOptions> = {}) => {
      await put(call, joined(objects.map(encodeObjectFrame)));
      return call("snapshot.restore", { ...SNAPSHOT_RULES, root }, options);
    },
    /** All that is in these objects, one character for each byte. */
    contentOf: (objects: readonly ObjectFrame[]): string =>
      objects.map(({ packed, data, size }) => latin1(packed ? unpack(data, size) : data)).join("\n"),
  };
}

/** Each object as a frame of its own: a sandbox sends many of them compressed together. */
async function readObjects(
  call: Calls["call"],
  { root, packBytes }: OperationResult<"snapshot.take">,
  unpack: OpenSandbox["unpack"],
): Promise<readonly ObjectFrame[]> {
  const frames = takenFrames();
  const objects: ObjectFrame[] = [];
  for (let offset = 0; offset < packBytes; offset += PART_BYTES) {
    const { data } = await call("snapshot.read", { root, offset, length: PART_BYTES });
    for (const frame of frames.take(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)))) {
      objects.push(...(frame.kind === "bundle" ? objectFrames().take(unpack(frame.data, frame.size)) : [frame]));
    }
  }
  frames.end();
  return objects;
}

async function put(call: Calls["call"], bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset === 0 || offset < bytes.length; offset += PART_BYTES) {
    await call("snapshot.put", { offset, data: bytes.slice(offset, offset + PART_BYTES) });
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
