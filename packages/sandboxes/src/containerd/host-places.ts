import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationPlace } from "../local/conversation-place.ts";
import { giveTo } from "../local/conversation-place.ts";
import type { LocalStart } from "../local/local-backend.ts";
import type { Mount } from "../disk/mounted-disk.ts";
import { diskMount, mountAll, unmountAll, unmountDisk } from "../disk/mounted-disk.ts";
import { diskReleased, hasDisk } from "../disk/workspace-disk.ts";
import type { ScratchPlace } from "./scratch.ts";
import { makeNothing, makeScratch, removeScratch, scratchMount } from "./scratch.ts";

/** Where the host has a sandbox's workspace and state while it starts. */
export type StartingFiles = { readonly workspace: string; readonly state: string };

export type HostParts = {
  /** Conversations whose disk is mounted here. */
  readonly mounting: Set<string>;
  readonly disksWork: () => Promise<boolean>;
  /** Whether the runtime sees what is mounted here. */
  readonly seesMounts: () => Promise<boolean>;
  readonly scratchOf: (sandboxId: string) => string;
};

/** What a sandbox's mounts come from. The host has it for as long as the start takes; then the sandbox alone has it. */
export type HostPlaces = {
  readonly ready: Promise<{
    readonly scratch: readonly ScratchPlace[];
    readonly nothing: string;
    readonly files: StartingFiles;
  }>;
  /** Takes off the host what was made, whether or not all was. Mounts and loop device end with the sandbox. */
  release(): Promise<void>;
};

/** Whose they are: the first of so many users. `bytes`: of what is in memory. */
type Own = { readonly uid: number; readonly ids: number; readonly bytes: number };

/**
 * Begins to make them. Where this process has mounts of its own, which the runtime does not see (a service with
 * `PrivateTmp`), /tmp and the like are on the disk, without a limit, until the next start.
 */
export function hostPlaces(parts: HostParts, start: LocalStart, own: Own): HostPlaces {
  const ready = make(parts, start, own);
  // Whoever waits for it hears of it.
  ready.catch(() => undefined);
  return {
    ready,
    release: async () => {
      await ready.catch(() => undefined);
      await release(parts, start);
    },
  };
}

async function make(parts: HostParts, { record, place, furnished }: LocalStart, { uid, ids, bytes }: Own) {
  const directory = parts.scratchOf(record.sandboxId);
  const [seen] = await Promise.all([parts.seesMounts(), removeScratch(directory), furnished]);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const disk = await diskOf(parts, place);
  const mounts = [...(seen ? [scratchMount(directory, bytes)] : []), ...disk];
  if (mounts.length > 0) await mountAll(mounts, place.mounts);
  const scratch = makeScratch(directory, uid);
  const nothing = makeNothing(directory);
  const files: StartingFiles =
    disk.length === 0 ? place : { workspace: join(place.disk, "workspace"), state: join(place.disk, "state") };
  await giveTo({ first: uid, count: ids }, [files.workspace, files.state]);
  return { scratch, nothing, files };
}

async function release({ scratchOf, mounting, seesMounts }: HostParts, { record, place }: LocalStart): Promise<void> {
  const directory = scratchOf(record.sandboxId);
  try {
    await unmountAll([directory, place.disk]);
    if (await seesMounts()) await rm(directory, { recursive: true, force: true });
  } finally {
    mounting.delete(place.conversationId);
  }
}

/** Nothing for a workspace that is a plain directory. @throws AppError `backend_unavailable` for a disk that the runtime does not see */
async function diskOf({ mounting, disksWork }: HostParts, place: ConversationPlace): Promise<readonly Mount[]> {
  if (!(await hasDisk(place.image))) return [];
  if (!(await disksWork())) throw unseen();
  mounting.add(place.conversationId);
  await unmountDisk(place.disk);
  await diskReleased(place);
  return [diskMount(place.image, place.disk)];
}

function unseen(): AppError {
  const message =
    "The workspace is on a disk that containerd cannot see from here. Let the server and containerd share their mounts (no PrivateTmp), and see to it that loop devices can be used.";
  return new AppError("backend_unavailable", message);
}
