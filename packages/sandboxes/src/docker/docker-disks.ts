import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { once } from "../once.ts";
import type { ConversationPlace } from "../process/conversation-place.ts";
import { conversationPlace, furnish, removePlace } from "../process/conversation-place.ts";
import { diskReleased, hasDisk, makeDisk, MOUNT_OPTIONS, requireHostSpace } from "../process/workspace-disk.ts";
import { runProgram } from "../run-program.ts";
import type { DockerClient } from "./docker-client.ts";
import { DockerError, isMissing } from "./docker-error.ts";
import type { DaemonInfo } from "./docker-shapes.ts";

/**
 * Workspaces as file systems in files of this machine, which bound what a conversation stores. Each is mounted on the
 * host for as long as its container takes to start, and stays mounted in the container alone: mount and loop device end
 * with the container, whoever was killed before.
 */
export type DockerDisks = ReturnType<typeof dockerDisks>;

export type DiskWish = {
  readonly conversationId: string;
  readonly seedDirectory: string | undefined;
  readonly owner: number;
  readonly bytes: number;
};

/** Paths of the host, there for as long as the container takes to start. */
export type MountedDisk = { readonly workspace: string; readonly state: string };

const PROBE_BYTES = 32 * 1024 ** 2;
const NO_IMAGE = "handrail-probe/no-such-image:1";

/** In `directory`; undefined: there are none. */
export function dockerDisks(directory: string | undefined, client: DockerClient, facts: () => Promise<DaemonInfo>) {
  const placeOf = (conversationId: string) => conversationPlace(directory ?? "/nonexistent", conversationId);
  const starting = new Set<string>();
  const work = once(
    async () => directory !== undefined && canMap(client, await facts()) && seesMounts(directory, client),
  );
  return {
    /** Whether new workspaces are bounded: it takes root, and a daemon that sees this process's mounts. */
    work,
    has: (conversationId: string) => hasDisk(placeOf(conversationId).image),

    /** Makes the disk with its first files unless it is there, and has it mounted while `use` runs. @throws AppError */
    mounted: async <T>(wish: DiskWish, use: (disk: MountedDisk) => Promise<T>): Promise<T> => {
      const { conversationId, seedDirectory, owner, bytes } = wish;
      const place = placeOf(conversationId);
      starting.add(conversationId);
      try {
        await mkdir(place.root, { recursive: true, mode: 0o700 });
        await requireHostSpace(place.root);
        await furnish(place, { seedDirectory, uid: owner, diskBytes: bytes });
        await unmount(place.disk);
        await diskReleased(place.image);
        await mount(place.image, place.disk);
        return await use({ workspace: join(place.disk, "workspace"), state: join(place.disk, "state") });
      } finally {
        await unmount(place.disk);
        starting.delete(conversationId);
      }
    },

    remove: (conversationId: string) => forget(placeOf(conversationId)),

    /** Removes disks of other conversations, and mounts that a killed server left. */
    collect: async (keep: ReadonlySet<string>): Promise<void> => {
      const there = directory === undefined ? [] : await readdir(directory).catch(() => []);
      for (const name of there.filter((entry) => !entry.startsWith("probe-") && !starting.has(entry))) {
        const place = placeOf(name);
        if (keep.has(name)) await unmount(place.disk);
        else await forget(place);
      }
    },
  };
}

async function forget(place: ConversationPlace): Promise<void> {
  await unmount(place.disk);
  await removePlace(place);
}

async function mount(image: string, target: string): Promise<void> {
  const { code, stderr } = await runProgram("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, image, target]);
  if (code !== 0) throw new AppError("sandbox_failed", `The workspace could not be mounted: ${stderr.trim()}`);
}

/** No error where nothing is mounted. */
async function unmount(target: string): Promise<void> {
  if (!(await isMounted(target))) return;
  const { code, stderr } = await runProgram("umount", ["--lazy", target]);
  if (code !== 0) throw new AppError("sandbox_failed", `The workspace could not be unmounted: ${stderr.trim()}`);
}

/** A directory that is on another file system than the one above it is where something is mounted. */
async function isMounted(directory: string): Promise<boolean> {
  const devices = await Promise.all(
    [directory, join(directory, "..")].map((path) => stat(path).catch(() => undefined)),
  );
  const [own, above] = devices.map((found) => found?.dev);
  return own !== undefined && own !== above;
}

/** Whether owners of files here are owners of files in containers of that daemon. */
function canMap({ endpoint }: DockerClient, { product, userNamespaces }: DaemonInfo): boolean {
  return process.getuid?.() === 0 && endpoint.type === "socket" && product === "Docker" && !userNamespaces;
}

/**
 * Whether the daemon sees what this process mounts, which one on another machine or in a container of its own does not.
 * It is asked for a container of an image that it does not have: a path that is not there is what it complains of first.
 */
async function seesMounts(directory: string, client: DockerClient): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const probe = await mkdtemp(join(directory, "probe-"));
  const [content, image, target] = [join(probe, "content"), join(probe, "image"), join(probe, "mounted")] as const;
  try {
    await mkdir(join(content, "seen"), { recursive: true });
    await mkdir(target);
    await makeDisk(image, content, PROBE_BYTES);
    await mount(image, target);
    const Mounts = [{ Type: "bind", Source: join(target, "seen"), Target: "/seen" }];
    await client.createContainer("handrail-probe", {
      Image: NO_IMAGE,
      Entrypoint: [],
      Cmd: [],
      Labels: {},
      HostConfig: { Mounts },
    });
    return false;
  } catch (thrown) {
    if (thrown instanceof DockerError) return isMissing(thrown);
    if (thrown instanceof AppError && thrown.code === "sandbox_failed") return false;
    throw thrown;
  } finally {
    await unmount(target).then(() => rm(probe, { recursive: true, force: true }));
  }
}
