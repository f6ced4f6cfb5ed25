import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { DISK_MOUNT, DISK_NAMES, type DiskImage } from "@handrail/protocol/sandboxd/disk-messages";
import { tooManyFiles } from "../disk/workspace-disk.ts";
import { userNames } from "../local/etc-files.ts";
import { INSIDE } from "../sandbox-environment.ts";
import { tarStream } from "../tar-stream.ts";
import { askedAgain } from "./asked-again.ts";
import { carrierContainer, SEEN } from "./container-spec.ts";
import { type DaemonOwners, daemonOwners } from "./daemon-owners.ts";
import { type DiskHelper, diskHelper } from "./disk-helper.ts";
import type { DockerClient } from "./docker-client.ts";
import type { DiskWish, StartingDisk } from "./docker-disks.ts";
import { DockerError } from "./docker-error.ts";
import type { MadeNames } from "../labels/made-names.ts";
import { LABEL } from "../labels/made-names.ts";
import type { Listed } from "../labels/listed.ts";
import { keepFiles } from "./disk-keeper.ts";
import { FUSE_DEVICE } from "./disk-keeper-container.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import { ROOT } from "../sandbox-user.ts";
import type { DockerVolumes } from "./docker-volumes.ts";
import { daemonSees } from "./hosts-file.ts";
import { canMakeDisks } from "../disk/sparse-disk.ts";
import { newDisk } from "./new-disk.ts";
import { nothingImage } from "./nothing-image.ts";
import { isOurs, makeVolume, removeOwnContainer, removeOwnVolume } from "./own-things.ts";
import { insideOf, textInside } from "./runtime-kernel.ts";

type Parts = {
  readonly client: DockerClient;
  readonly names: MadeNames;
  readonly volumes: Pick<DockerVolumes, "programs" | "isWhole">;
  readonly facts: () => Promise<DaemonInfo>;
  /** Whether there are any. */
  readonly wanted: boolean;
};

/**
 * Workspaces as file systems in files of the daemon's machine, wherever that is. Each lies beside the files of a volume,
 * where the volume's removal takes it along and no mount of the volume shows it. A helper mounts it for as long as its
 * container takes to start; then mount and loop device are the container's alone, and end with it. Where only FUSE can be
 * mounted it is a directory, which a keeper serves as long as the container has it.
 */
export type DaemonDisks = ReturnType<typeof daemonDisks>;

const PROBE_BYTES = 32 * 1024 ** 2;
const NOT_SEEN =
  "The daemon does not see the file systems that would bound workspaces: its directory is not below a mount that is shared.";
/** How long a try that failed counts. */
const AGAIN_MS = 60_000;

export function daemonDisks(parts: Parts) {
  const { client, names, volumes } = parts;
  const helper = diskHelper(parts);
  const image = newDisks();
  const hasOwn = async (volume: string) => {
    const found = await client.findVolume(volume);
    return found !== undefined && isOurs(parts, found);
  };
  const owners = daemonOwners({ ...parts, inside: () => insideOf(parts) });
  /** Of conversations whose disk this process has mounted and released. */
  const released = new Set<string>();
  const release = async (holders: readonly string[]): Promise<void> => {
    if (holders.length > 0) await helper.ask({ type: "release", volumes: [...holders], forget: false });
  };
  const areKept = async () => (await parts.facts()).rootless;
  const mounting = { parts, helper, image, owners };
  const mount = async (wish: MountWish) => ((await areKept()) ? keepFiles(parts, wish) : mountDisk(mounting, wish));
  const find = async () => (await knownProblem(parts)) ?? probe(parts, mount);
  const problem = askedAgain(AGAIN_MS, find, (found) => found === undefined);
  return {
    helper: helper.id,
    /** Whether a keeper serves each, since the daemon may mount nothing but FUSE. */
    areKept,
    /** Why new workspaces are not bounded, with what to do, where something can be done; undefined: they are. */
    problem,
    has: (conversationId: string) => volumes.isWhole(names.disk(conversationId)),
    /** Makes the disk with its first files unless it is there, and mounts it. @throws AppError, DockerError */
    prepare: async (wish: DiskWish): Promise<StartingDisk> => {
      released.delete(wish.conversationId);
      const disk = await prepare(parts, mount, wish);
      const letGo = async () => {
        await disk.release();
        released.add(wish.conversationId);
      };
      return { ...disk, release: letGo };
    },
    remove: async (conversationId: string): Promise<void> => {
      const holder = names.disk(conversationId);
      const mayBeMounted = !released.has(conversationId) && (await hasOwn(holder));
      if (mayBeMounted && (await problem()) === undefined) await release([holder]);
      await removeOwnContainer(parts, names.carrier(holder));
      await removeOwnVolume(parts, names.whole(holder));
      await removeOwnVolume(parts, holder);
      released.delete(conversationId);
    },
    /** Takes mounts away that a killed server left beside volumes, before those are removed. */
    tidy: async (leftovers: readonly Listed[]): Promise<void> => {
      const isHolder = ({ name, labels }: Listed) => name === (labels[LABEL.disk] ?? labels[LABEL.programs]);
      const holders = leftovers.filter(isHolder).map(({ name }) => name);
      if (holders.length > 0 && (await problem()) === undefined) await release(holders);
    },
    close: () => helper.close(),
  };
}

type MountWish = Parameters<typeof keepFiles>[1];
type Mount = (wish: MountWish) => Promise<{
  /** The volume's own directory on the daemon's machine. */
  readonly place: string;
  /** Where the daemon's machine has it until it is released. */
  readonly directory: string;
  readonly keeper?: string;
  /** `forget`: whatever was made for it goes. */
  release(forget?: boolean): Promise<void>;
}>;

async function prepare(parts: Parts, mount: Mount, wish: DiskWish): Promise<StartingDisk> {
  const { client, names, volumes } = parts;
  const { conversationId, bytes } = wish;
  const holder = names.disk(conversationId);
  const whole = names.whole(holder);
  const labels = { ...names.labels(conversationId), [LABEL.disk]: holder };
  const isWhole = await volumes.isWhole(holder);
  const users = wish.owner === ROOT ? undefined : userNames(wish.owner);
  const disk = await mount({ volume: holder, labels, bytes, owner: isWhole ? undefined : wish.owner, names: users });
  const paths = { workspace: join(disk.directory, "workspace"), state: join(disk.directory, "state") };
  const named = users === undefined ? undefined : join(disk.place, DISK_NAMES);
  try {
    if (!isWhole) await fill(parts, wish, paths.workspace);
    if (!isWhole) await makeVolume(client, whole, labels);
  } catch (thrown) {
    await disk.release().catch(() => undefined);
    throw thrown;
  }
  return { ...disk, paths, names: named, volumes: { holder, whole }, mounted: Promise.resolve() };
}

type Mounting = {
  readonly parts: Parts;
  readonly helper: DiskHelper;
  readonly image: ReturnType<typeof newDisks>;
  readonly owners: DaemonOwners;
};

async function mountDisk({ parts: { client }, helper, image, owners }: Mounting, wish: MountWish) {
  const { volume, labels, bytes, owner, names } = wish;
  const [volumes] = await Promise.all([helper.directory(), makeVolume(client, volume, labels)]);
  const release = (forget = false) => helper.ask({ type: "release", volumes: [volume], forget });
  try {
    const anew = owner === undefined ? undefined : { image: await image(bytes), owner: await owners(owner) };
    await helper.ask({ type: "mount", volume, names, ...(anew === undefined ? {} : { anew }) });
  } catch (thrown) {
    await release().catch(() => undefined);
    throw thrown;
  }
  const place = join(volumes, volume);
  return { place, directory: join(place, DISK_MOUNT), release };
}

/** Empty disks by their size, each made once. */
function newDisks(): (bytes: number) => Promise<DiskImage> {
  const made = new Map<number, Promise<DiskImage>>();
  return (bytes) => {
    const disk = made.get(bytes) ?? newDisk(bytes);
    made.set(bytes, disk);
    disk.catch(() => made.delete(bytes));
    return disk;
  };
}

/** The first files travel as an archive through a container that is never started. @throws AppError `disk_full` */
async function fill({ client, names }: Parts, wish: DiskWish, workspace: string): Promise<void> {
  const { conversationId, seedDirectory, owner } = wish;
  if (seedDirectory === undefined) return;
  const name = names.carrier(names.disk(conversationId));
  await removeOwnContainer({ client, names }, name);
  const bind = { Type: "bind", Source: workspace, Target: INSIDE.workspace };
  const labels = { ...names.labels(conversationId), ...names.madeHere() };
  const spec = carrierContainer(await nothingImage(client), labels, [bind]);
  const carrier = await client.createContainer(name, spec);
  try {
    const tar = tarStream({ directory: seedDirectory, name: ".", owner });
    await client.putArchive(carrier, { path: INSIDE.workspace, tar });
  } catch (thrown) {
    throw (thrown instanceof DockerError ? tooManyFiles(thrown.message) : undefined) ?? thrown;
  } finally {
    await client.removeContainer(carrier);
  }
}

/** What can be told without a try. */
async function knownProblem({ facts, wanted }: Parts): Promise<string | undefined> {
  if (!wanted) return "";
  const { selinux, rootless } = await facts();
  if (selinux) return "A daemon with SELinux cannot have the file systems that bound workspaces.";
  if (rootless || (await canMakeDisks())) return undefined;
  return "To bound workspaces the server needs mke2fs. Install e2fsprogs on its machine.";
}

/** Mounts a disk and looks whether the daemon sees it: beside a volume of its own, since others may try it too. */
async function probe(parts: Parts, mount: Mount): Promise<string | undefined> {
  const { client, names } = parts;
  const volume = names.probe(newId("x", Date.now()));
  const labels = { [LABEL.installation]: names.installation, [LABEL.disk]: volume, ...names.madeHere() };
  try {
    const disk = await mount({ volume, labels, bytes: PROBE_BYTES, owner: ROOT, names: undefined });
    const seen = await seesDisk(parts, join(disk.directory, "workspace"));
    await disk.release(true);
    return seen ? undefined : NOT_SEEN;
  } catch (thrown) {
    const isNo = thrown instanceof DockerError || (thrown instanceof AppError && thrown.code !== "backend_unavailable");
    if (!isNo) throw thrown;
    return `Workspaces cannot be bounded: ${thrown.message.replace(/\.?$/, ".")}${adviceOn(thrown.message)}`;
  } finally {
    await removeOwnContainer(parts, names.keeper(volume)).catch(() => undefined);
    await client.removeVolume(volume).catch(() => undefined);
  }
}

function adviceOn(complaint: string): string {
  if (!complaint.includes(FUSE_DEVICE)) return "";
  return ` Load the kernel's module fuse on the daemon's machine; a daemon in a container is given ${FUSE_DEVICE}, as in deploy/compose/sidecar-rootless.yaml. Its user must be allowed to open it, as udev allows everybody (mode 0666).`;
}

/** A line of /proc/mounts with a disk of ours. The machine's own file system may be an ext4 as well. */
const OURS = new RegExp(`^(?:/dev/loop\\S* ${SEEN} ext4|handrail ${SEEN} fuse) `);

/** Podman makes directories that are not there, so it is asked for what a container has in their place. */
async function seesDisk(parts: Parts, path: string): Promise<boolean> {
  if ((await parts.facts()).product === "Docker") return daemonSees(parts.client, path);
  const mounts = (await textInside(await insideOf(parts), "/proc/mounts", { seen: path })).split("\n");
  return mounts.some((line) => OURS.test(line));
}
