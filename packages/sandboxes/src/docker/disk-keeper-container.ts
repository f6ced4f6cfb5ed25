import type { UserNames } from "@handrail/protocol/sandboxd/disk-messages";
import { INSIDE } from "../sandbox-environment.ts";
import { volume } from "./container-mounts.ts";
import { hardening } from "./container-spec.ts";
import type { ContainerSpec } from "./docker-shapes.ts";

/** Of the kernel's machine. */
export const FUSE_DEVICE = "/dev/fuse";

const DIRECTORY_INSIDE = "/handrail-volume";
/** To mount; to have nothing but the files; to do to them what each of their users may. */
const CAPABILITIES = ["SYS_ADMIN", "SYS_CHROOT", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"] as const;

/**
 * A keeper remembers each file that the kernel knows, of which there may be one for each 16 KiB: up to 1.8 kB with
 * what is not collected yet.
 */
const memoryFor = (bytes: number) => 256 * 1024 ** 2 + Math.ceil(bytes / 8);

export type KeeperWish = {
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly programs: string;
  /** The daemon's directory of the volume that the files lie beside. */
  readonly directory: string;
  /** What may be stored. */
  readonly bytes: number;
  /** Whose the files are that are made anew; undefined: they are there. */
  readonly owner: number | undefined;
  /** Are written beside them. */
  readonly names: UserNames | undefined;
};

/**
 * The container that serves one sandbox's files as a file system with a bound, as long as that has them. It sees
 * nothing else of the daemon's machine, has no network, and nothing runs in it but our own program, on an image with nothing in it.
 */
export function keeperContainer(wish: KeeperWish): ContainerSpec {
  const { imageId, labels, programs, directory, bytes, owner, names } = wish;
  const shared = {
    Type: "bind",
    Source: directory,
    Target: DIRECTORY_INSIDE,
    BindOptions: { Propagation: "rshared" },
  };
  const anew = owner === undefined ? [] : ["--owner", String(owner)];
  const named = names === undefined ? [] : ["--names", JSON.stringify(names)];
  return {
    Image: imageId,
    User: "0:0",
    Entrypoint: [`${INSIDE.programs}/sandboxd`],
    Cmd: ["keep", "--directory", DIRECTORY_INSIDE, "--bytes", String(bytes), ...anew, ...named],
    NetworkDisabled: true,
    OpenStdin: true,
    StdinOnce: true,
    Labels: labels,
    HostConfig: {
      ...hardening,
      AutoRemove: true,
      CapAdd: CAPABILITIES,
      Devices: [{ PathOnHost: FUSE_DEVICE, PathInContainer: FUSE_DEVICE, CgroupPermissions: "rw" }],
      // AppArmor's profile of Docker lets nobody mount.
      SecurityOpt: ["no-new-privileges", "apparmor=unconfined"],
      ReadonlyRootfs: true,
      Memory: memoryFor(bytes),
      PidsLimit: 64,
      Mounts: [shared, { ...volume(programs, INSIDE.programs), ReadOnly: true }],
    },
  };
}
