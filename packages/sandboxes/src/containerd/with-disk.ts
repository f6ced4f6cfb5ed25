import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationPlace } from "../process/conversation-place.ts";
import { mountDisk, unmountDisk } from "../process/mounted-disk.ts";
import { diskReleased, hasDisk } from "../process/workspace-disk.ts";

/** Where the host has a sandbox's workspace and state while it starts. */
export type StartingFiles = { readonly workspace: string; readonly state: string };

export type Mounting = {
  /** Conversations whose disk is mounted here. */
  readonly mounting: Set<string>;
  readonly disksWork: () => Promise<boolean>;
};

/**
 * Starts a sandbox on its workspace. A disk is mounted on the host for as long as that takes; then its sandbox alone has
 * it, and mount and loop device end with the sandbox.
 * @throws AppError `backend_unavailable` for a disk that the runtime does not see
 */
export async function withDisk<T>(
  { mounting, disksWork }: Mounting,
  place: ConversationPlace,
  begin: (files: StartingFiles) => Promise<T>,
): Promise<T> {
  if (!(await hasDisk(place.image))) return begin(place);
  if (!(await disksWork())) throw unseen();
  mounting.add(place.conversationId);
  try {
    await unmountDisk(place.disk);
    await diskReleased(place.image);
    await mountDisk(place.image, place.disk);
    return await begin({ workspace: join(place.disk, "workspace"), state: join(place.disk, "state") });
  } finally {
    await unmountDisk(place.disk).finally(() => mounting.delete(place.conversationId));
  }
}

function unseen(): AppError {
  const message =
    "The workspace is on a disk that containerd cannot see from here. Let the server and containerd share their mounts (no PrivateTmp), and see to it that loop devices can be used.";
  return new AppError("backend_unavailable", message);
}
