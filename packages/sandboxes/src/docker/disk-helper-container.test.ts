import { expect, test } from "vitest";
import { diskHelperContainer } from "./disk-helper-container.ts";

test("what mounts disks has an image without files, no network, loop devices, and what it takes to mount; not more", () => {
  const common = { imageId: "n", labels: { a: "b" }, programs: "p", volumes: "/var/lib/docker/volumes" };
  const { HostConfig, ...spec } = diskHelperContainer({
    daemon: { product: "Docker", userNamespaces: false },
    ...common,
  });
  expect(spec).toEqual({
    Image: "n",
    User: "0:0",
    Entrypoint: ["/handrail/sandboxd"],
    Cmd: ["disks", "--volumes", "/handrail-volumes"],
    NetworkDisabled: true,
    OpenStdin: true,
    StdinOnce: true,
    Labels: { a: "b" },
  });
  const shared = { Type: "bind", Source: "/var/lib/docker/volumes", Target: "/handrail-volumes" };
  expect(HostConfig).toEqual({
    NetworkMode: "none",
    CapDrop: ["ALL"],
    CapAdd: ["SYS_ADMIN", "MKNOD", "CHOWN"],
    Privileged: false,
    DeviceCgroupRules: ["b 7:* rw", "c 10:237 rw"],
    IpcMode: "private",
    Init: false,
    RestartPolicy: { Name: "no" },
    LogConfig: { Type: "none", Config: {} },
    AutoRemove: true,
    SecurityOpt: ["no-new-privileges", "apparmor=unconfined"],
    ReadonlyRootfs: true,
    Memory: 536_870_912,
    PidsLimit: 64,
    Mounts: [
      { ...shared, BindOptions: { Propagation: "rshared" } },
      { Type: "volume", Source: "p", Target: "/handrail", VolumeOptions: { NoCopy: true }, ReadOnly: true },
    ],
  });
  const podman = diskHelperContainer({ daemon: { product: "Podman", userNamespaces: false }, ...common });
  expect(podman.HostConfig).toMatchObject({ Privileged: true });
  const mapped = diskHelperContainer({ daemon: { product: "Docker", userNamespaces: true }, ...common });
  expect(mapped.HostConfig).toEqual({ ...HostConfig, UsernsMode: "host" });
});
