import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationPlace } from "../process/conversation-place.ts";
import { giveTo } from "../process/conversation-place.ts";
import type { LocalStart } from "../process/local-backend.ts";
import { mountDisk, unmountDisk } from "../process/mounted-disk.ts";
import { diskReleased, hasDisk } from "../process/workspace-disk.ts";
import type { Scratch } from "./scratch.ts";
import { makeScratch } from "./scratch.ts";

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
  readonly ready: Promise<{ readonly scratch: Scratch; readonly files: StartingFiles }>;
  /** Takes off the host what was made, whether or not all was. Mounts and loop device end with the sandbox. */
  release(): Promise<void>;
};

/** Whose they are: the first of so many users. `bytes`: of what is in memory. */
type Own = { readonly uid: number; readonly ids: number; readonly bytes: number };

/** Begins to make them. */
export function hostPlaces(parts: HostParts, start: LocalStart, own: Own): HostPlaces {
  const directory = parts.scratchOf(start.record.sandboxId);
  const making = [
    parts.seesMounts().then((seen) => makeScratch({ directory, seen, uid: own.uid, bytes: own.bytes })),
    start.furnished.then(() => openDisk(parts, start.place)).then((disk) => owned(disk, own)),
  ] as const;
  const ready = Promise.all(making).then(([scratch, { files }]) => ({ scratch, files }));
  // Whoever waits for it hears of it.
  ready.catch(() => undefined);
  return {
    ready,
    release: async () => {
      const made = await Promise.allSettled(making);
      const held = made.flatMap((one) => (one.status === "fulfilled" ? [one.value.release()] : []));
      await Promise.all(held);
    },
  };
}

async function owned(disk: OpenDisk, { uid, ids }: Pick<Own, "uid" | "ids">): Promise<OpenDisk> {
  try {
    await giveTo({ first: uid, count: ids }, [disk.files.workspace, disk.files.state]);
    return disk;
  } catch (thrown) {
    await disk.release();
    throw thrown;
  }
}

type OpenDisk = { readonly files: StartingFiles; release(): Promise<void> };

/** @throws AppError `backend_unavailable` for a disk that the runtime does not see */
async function openDisk({ mounting, disksWork }: HostParts, place: ConversationPlace): Promise<OpenDisk> {
  if (!(await hasDisk(place.image))) return { files: place, release: async () => undefined };
  if (!(await disksWork())) throw unseen();
  mounting.add(place.conversationId);
  const release = () => unmountDisk(place.disk).finally(() => mounting.delete(place.conversationId));
  try {
    await unmountDisk(place.disk);
    await diskReleased(place.image);
    await mountDisk(place.image, place.disk);
  } catch (thrown) {
    await release();
    throw thrown;
  }
  return { files: { workspace: join(place.disk, "workspace"), state: join(place.disk, "state") }, release };
}

function unseen(): AppError {
  const message =
    "The workspace is on a disk that containerd cannot see from here. Let the server and containerd share their mounts (no PrivateTmp), and see to it that loop devices can be used.";
  return new AppError("backend_unavailable", message);
}
