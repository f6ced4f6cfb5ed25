import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { KeptConversations } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { once } from "../once.ts";
import type { ConversationPlace } from "../local/conversation-place.ts";
import { conversationPlace, furnish, isConversationName, removePlace } from "../local/conversation-place.ts";
import { writeUserNames } from "../local/etc-files.ts";
import { ROOT } from "../sandbox-user.ts";
import { diskReleased, hasDisk, makeDisk, requireHostSpace } from "../disk/workspace-disk.ts";
import { mountDisk, unmountAll, unmountDisk } from "../disk/mounted-disk.ts";
import type { DockerClient } from "./docker-client.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import { daemonSees } from "./hosts-file.ts";
import { tryEach } from "../try-each.ts";

/**
 * Workspaces as file systems in files of this machine, which bound what a conversation stores. Each is mounted on the
 * host for as long as its container takes to start, and stays mounted in the container alone: mount and loop device end
 * with the container, whoever was killed before.
 */
export type DockerDisks = ReturnType<typeof dockerDisks>;

export type DiskWish = {
  readonly conversationId: string;
  readonly seedDirectory: string | undefined;
  /** As it is seen inside. Root has the names that the image has. */
  readonly owner: number;
  readonly bytes: number;
};

/** A disk for as long as its container takes to start. */
export type StartingDisk = {
  /** Paths of the host. Until the disk is mounted over them they are empty directories that only root may enter. */
  readonly paths: { readonly workspace: string; readonly state: string };
  /** The host's directory with a `passwd` and a `group` that name the user inside. Undefined: the image's do. */
  readonly names: string | undefined;
  /** Volumes that are to be in use as long as the workspace is. */
  readonly volumes?: { readonly holder: string; readonly whole: string };
  /** The container without which the workspace is not there. */
  readonly keeper?: string;
  /** Settles when the disk with its first files is there and mounted. @throws AppError */
  readonly mounted: Promise<void>;
  /** Takes the mount away again, once it is there or has failed. What holds it meanwhile keeps it. */
  release(): Promise<void>;
};

const PROBE_BYTES = 32 * 1024 ** 2;
const PROBE = "probe-";

/** In `directory`; undefined: there are none. */
export function dockerDisks(directory: string | undefined, client: DockerClient, facts: () => Promise<DaemonInfo>) {
  const placeOf = (conversationId: string) => conversationPlace(directory ?? "/nonexistent", conversationId);
  /** Names in `directory` that this process is at work in. */
  const starting = new Set<string>();
  const work = once(async () => {
    if (directory === undefined || !canMap(client, await facts())) return false;
    const name = `${PROBE}${randomUUID()}`;
    starting.add(name);
    return seesMounts(join(directory, name), client).finally(() => starting.delete(name));
  });
  return {
    /** Whether new workspaces are bounded: it takes root, and a daemon that sees this process's mounts. */
    work,
    has: (conversationId: string) => hasDisk(placeOf(conversationId).image),

    /** Makes the disk with its first files unless it is there, and mounts it, while its container is made. */
    prepare: async (wish: DiskWish): Promise<StartingDisk> => {
      const place = placeOf(wish.conversationId);
      starting.add(wish.conversationId);
      const paths = { workspace: join(place.disk, "workspace"), state: join(place.disk, "state") };
      const names = wish.owner === ROOT ? undefined : place.names;
      try {
        await unmountDisk(place.disk);
        for (const path of Object.values(paths)) await mkdir(path, { recursive: true, mode: 0o700 });
        if (names !== undefined) writeUserNames(names, wish.owner);
      } catch (thrown) {
        starting.delete(wish.conversationId);
        throw thrown;
      }
      const mounted = provide(place, wish);
      // Who waits for it may fail before, and does not look at it then.
      mounted.catch(() => undefined);
      const release = async () => {
        await mounted.catch(() => undefined);
        await unmountDisk(place.disk);
        starting.delete(wish.conversationId);
      };
      return { paths, names, mounted, release };
    },

    remove: (conversationId: string) => forget(placeOf(conversationId)),

    /** Removes disks of other conversations, and mounts that a killed server left. Nothing else in the directory. */
    collect: async (keep: KeptConversations): Promise<void> => {
      const there = directory === undefined ? [] : await readdir(directory).catch(() => []);
      const isOurs = (name: string) => name.startsWith(PROBE) || isConversationName(name);
      await tryEach(
        there.filter((entry) => isOurs(entry) && !starting.has(entry)),
        (name) => {
          const place = placeOf(name);
          if (name.startsWith(PROBE)) return removeProbe(join(directory ?? "", name));
          return keep.has(name) ? unmountDisk(place.disk) : forget(place);
        },
      );
    },
  };
}

async function provide(place: ConversationPlace, wish: DiskWish): Promise<void> {
  await requireHostSpace(place.root);
  await furnish(place, {
    seedDirectory: wish.seedDirectory,
    uid: wish.owner,
    bound: { type: "disk", bytes: wish.bytes },
  });
  await diskReleased(place);
  await mountDisk(place.image, place.disk);
}

async function forget(place: ConversationPlace): Promise<void> {
  await unmountDisk(place.disk);
  await removePlace(place);
}

/** Whether owners of files here are owners of files in containers of that daemon. */
function canMap({ endpoint }: DockerClient, { product, userNamespaces }: DaemonInfo): boolean {
  return process.getuid?.() === 0 && endpoint.type === "socket" && product === "Docker" && !userNamespaces;
}

/** Whether the daemon sees what this process mounts, which one on another machine or in a container of its own does not. */
async function seesMounts(probe: string, client: DockerClient): Promise<boolean> {
  const [content, image, target] = [join(probe, "content"), join(probe, "image"), join(probe, "disk")] as const;
  try {
    await mkdir(join(content, "seen"), { recursive: true, mode: 0o700 });
    await mkdir(target);
    await makeDisk(image, content, PROBE_BYTES);
    await mountDisk(image, target);
    return await daemonSees(client, join(target, "seen"));
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "sandbox_failed") return false;
    throw thrown;
  } finally {
    await removeProbe(probe);
  }
}

/** Earlier versions mounted theirs under another name. */
async function removeProbe(probe: string): Promise<void> {
  const names = await readdir(probe).catch(() => []);
  await unmountAll(names.map((name) => join(probe, name)));
  await rm(probe, { recursive: true, force: true });
}
