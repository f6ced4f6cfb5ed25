import { INSIDE } from "../sandbox-environment.ts";
import { volume } from "./container-mounts.ts";
import { hardening } from "./container-spec.ts";
import type { ContainerSpec, DaemonInfo } from "./docker-shapes.ts";

/** What the helper has of devices: loop devices, and what hands them out (the kernel's devices.txt). */
const LOOP_DEVICES = ["b 7:* rw", "c 10:237 rw"];
const VOLUMES_INSIDE = "/handrail-volumes";

/**
 * The container that mounts disks for the daemon's machine to see. It may mount, which is all that it takes to be root of
 * that machine: so it has no network, nothing runs in it but our own program, on an image with nothing in it, and it ends
 * with the server's connection. `volumes` is the daemon's directory of them.
 */
export function diskHelperContainer(helper: {
  readonly daemon: Pick<DaemonInfo, "product" | "userNamespaces">;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly programs: string;
  readonly volumes: string;
}): ContainerSpec {
  const shared = {
    Type: "bind",
    Source: helper.volumes,
    Target: VOLUMES_INSIDE,
    BindOptions: { Propagation: "rshared" },
  };
  return {
    Image: helper.imageId,
    User: "0:0",
    Entrypoint: [`${INSIDE.programs}/sandboxd`],
    Cmd: ["disks", "--volumes", VOLUMES_INSIDE],
    NetworkDisabled: true,
    OpenStdin: true,
    StdinOnce: true,
    Labels: helper.labels,
    HostConfig: {
      ...hardening,
      AutoRemove: true,
      ...mounting(helper.daemon),
      // AppArmor's profile of Docker lets nobody mount.
      SecurityOpt: ["no-new-privileges", "apparmor=unconfined"],
      ReadonlyRootfs: true,
      Memory: 512 * 1024 ** 2,
      PidsLimit: 64,
      Mounts: [shared, { ...volume(helper.programs, INSIDE.programs), ReadOnly: true }],
    },
  };
}

/**
 * Devices are made in a /dev of its own; a new disk's directories are given to their owner. Podman does not take rules for
 * devices. Where the daemon maps users, root of the machine itself is who may mount.
 */
function mounting({ product, userNamespaces }: Pick<DaemonInfo, "product" | "userNamespaces">): object {
  if (product === "Podman") return { Privileged: true, CapDrop: [] };
  const docker = { CapAdd: ["SYS_ADMIN", "MKNOD", "CHOWN"], DeviceCgroupRules: LOOP_DEVICES };
  return userNamespaces ? { ...docker, UsernsMode: "host" } : docker;
}
