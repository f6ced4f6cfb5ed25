import { expect, test } from "vitest";
import { keeperContainer } from "./disk-keeper-container.ts";

test("what serves files has an image without files, no network, FUSE, one volume's directory, and what files take; not more", () => {
  const common = {
    imageId: "n",
    labels: { a: "b" },
    programs: "p",
    directory: "/var/lib/docker/volumes/v",
    bytes: 2 ** 31,
  };
  const { HostConfig, ...spec } = keeperContainer({ ...common, owner: undefined, names: undefined });
  expect(spec).toEqual({
    Image: "n",
    User: "0:0",
    Entrypoint: ["/handrail/sandboxd"],
    Cmd: ["keep", "--directory", "/handrail-volume", "--bytes", "2147483648"],
    NetworkDisabled: true,
    OpenStdin: true,
    StdinOnce: true,
    Labels: { a: "b" },
  });
  const shared = { Type: "bind", Source: "/var/lib/docker/volumes/v", Target: "/handrail-volume" };
  expect(HostConfig).toEqual({
    NetworkMode: "none",
    CapDrop: ["ALL"],
    CapAdd: ["SYS_ADMIN", "SYS_CHROOT", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"],
    Privileged: false,
    Devices: [{ PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rw" }],
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
  const names = { passwd: "p", group: "g" };
  const anew = keeperContainer({ ...common, owner: 0, names });
  expect(anew.Cmd.slice(-4)).toEqual(["--owner", "0", "--names", '{"passwd":"p","group":"g"}']);
});
