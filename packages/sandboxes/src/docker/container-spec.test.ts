import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { sandboxContainer } from "./container-spec.ts";
import type { DaemonInfo } from "./docker-shapes.ts";

type Given = Partial<Parameters<typeof sandboxContainer>[0]>;

function specOf(given: Given) {
  const storage = { type: "volume", workspace: "w", state: "s" } as const;
  const texts = { imageId: "i", runtime: undefined, seccomp: "{}", labels: {}, token: "t", programs: "p" };
  const usual = {
    daemon: { product: "Docker", missingLimits: [] },
    profile: "default",
    uid: 5000,
    imageVolumes: [],
    containers: false,
  } as const;
  return sandboxContainer({ ...texts, ...usual, limits: DEFAULT_LIMITS, hostsFile: undefined, storage, ...given });
}

const hostConfig = (given: Given): Readonly<Record<string, unknown>> => specOf(given).HostConfig;

/** Names of the limits that the kernel keeps by itself, of a sandbox with this user on such a daemon. */
function ulimits(product: DaemonInfo["product"], missingLimits: readonly string[], uid: number): readonly string[] {
  const { Ulimits } = hostConfig({ daemon: { product, missingLimits }, profile: uid === 0 ? "dev" : "default", uid });
  return (Ulimits as readonly { readonly Name: string }[]).map(({ Name }) => Name);
}

const LIMITS = {
  memoryBytes: 512,
  cpus: 1.5,
  processes: 100,
  tmpBytes: 128,
  openFiles: 1024,
  fileBytes: 4096,
  diskBytes: 10,
};
const volume = (Source: string, Target: string) => ({
  Type: "volume",
  Source,
  Target,
  VolumeOptions: { NoCopy: true },
});

test("a container has no network, no rights and no way to more, and a limit on everything", () => {
  const HostConfig = {
    NetworkMode: "none",
    CapDrop: ["ALL"],
    Privileged: false,
    IpcMode: "private",
    Init: false,
    RestartPolicy: { Name: "no" },
    LogConfig: { Type: "none", Config: {} },
    SecurityOpt: ["no-new-privileges", "seccomp={}"],
    CapAdd: [],
    ReadonlyRootfs: true,
    Memory: 512,
    MemorySwap: 512,
    NanoCpus: 1_500_000_000,
    PidsLimit: 100,
    Ulimits: [
      { Name: "nofile", Soft: 1024, Hard: 1024 },
      { Name: "fsize", Soft: 4096, Hard: 4096 },
      { Name: "core", Soft: 0, Hard: 0 },
    ],
    Tmpfs: {
      "/tmp": "rw,exec,nosuid,nodev,size=128,mode=1777",
      "/run": "rw,noexec,nosuid,nodev,size=16m,mode=1777,uid=5000,gid=5000",
    },
    Mounts: [
      volume("w", "/workspace"),
      volume("s", "/handrail-state"),
      { ...volume("p", "/handrail"), ReadOnly: true },
      { Type: "bind", Source: "/h", Target: "/etc/hosts", ReadOnly: true },
    ],
  };
  const places = ["--workspace", "/workspace", "--state", "/handrail-state"];
  const shared = ["--shared", "/workspace", "--shared", "/handrail-state"];
  const socket = ["--listen", "unix:@handrail-sandboxd"];
  const { Env, ...spec } = specOf({ limits: LIMITS, profile: "strict", hostsFile: "/h", labels: { a: "b" } });
  expect(spec).toEqual({
    Image: "i",
    Hostname: "sandbox",
    User: "5000:5000",
    Entrypoint: ["/handrail/sandboxd"],
    Cmd: ["serve", "--stdio", "--idle-exit", "3600", "--keep-free", "1073741824", ...shared, ...places, ...socket],
    WorkingDir: "/workspace",
    NetworkDisabled: true,
    OpenStdin: true,
    StdinOnce: true,
    StopSignal: "SIGKILL",
    Labels: { a: "b" },
    HostConfig,
  });
  expect(Env?.filter((line) => /proxy/i.test(line))).toEqual([]);
});

test("a way to the broker is what profiles with a network have, and nothing else beside the strict one", () => {
  const { Env, Cmd } = specOf({});
  expect(Cmd.slice(-3)).toEqual(["--egress-port", "3128", "--transparent"]);
  expect(Env).toContain("http_proxy=http://127.0.0.1:3128");
});

test("a disk of the host is mounted so that nothing which is mounted in it comes back", () => {
  const given = { storage: { type: "bind", workspace: "/d/w", state: "/d/s" } } as const;
  const { Mounts } = hostConfig(given);
  expect(specOf(given).Cmd).not.toContain("--keep-free");
  const bind = { Type: "bind", BindOptions: { Propagation: "rprivate" } };
  expect((Mounts as readonly unknown[]).slice(0, 2)).toEqual([
    { ...bind, Source: "/d/w", Target: "/workspace" },
    { ...bind, Source: "/d/s", Target: "/handrail-state" },
  ]);
});

test("a disk of the daemon's machine is mounted as the daemon mounts what is its own, and keeps its volumes in use", () => {
  const storage = { type: "bind", workspace: "/d/w", state: "/d/s", names: "/n", holder: "h", whole: "o" } as const;
  expect(hostConfig({ storage })["Mounts"]).toEqual([
    { Type: "bind", Source: "/d/w", Target: "/workspace" },
    { Type: "bind", Source: "/d/s", Target: "/handrail-state" },
    { ...volume("p", "/handrail"), ReadOnly: true },
    { Type: "bind", Source: "/n/passwd", Target: "/etc/passwd", ReadOnly: true },
    { Type: "bind", Source: "/n/group", Target: "/etc/group", ReadOnly: true },
    { ...volume("o", "/handrail-whole"), ReadOnly: true },
    { ...volume("h", "/handrail-disk"), ReadOnly: true },
  ]);
});

test("where the image calls a place a volume is nothing, unless there is something else, or root may write to the image", () => {
  const imageVolumes = ["/data", "/tmp", "/workspace", "/var/lib/app"];
  const inMemory = (given: Given) =>
    hostConfig({ imageVolumes, ...given })["Tmpfs"] as Readonly<Record<string, string>>;
  const nothing = "ro,noexec,nosuid,nodev,size=4k,mode=755";
  expect(Object.entries(inMemory({})).filter(([, options]) => options.startsWith("ro"))).toEqual([
    ["/data", nothing],
    ["/var/lib/app", nothing],
  ]);
  expect(inMemory({ daemon: { product: "Podman", missingLimits: [] } })["/data"]).toBe(`${nothing},notmpcopyup`);
  expect(Object.keys(inMemory({ profile: "dev", uid: 0 }))).toEqual(["/tmp", "/run"]);
});

test("the sandbox's user owns /run, where a runtime gives that the mode of the image's", () => {
  const run = (product: "Docker" | "Podman") =>
    (hostConfig({ daemon: { product, missingLimits: [] } })["Tmpfs"] as Readonly<Record<string, string>>)["/run"];
  const common = "rw,noexec,nosuid,nodev,size=16m,mode=1777";
  expect([run("Docker"), run("Podman")]).toEqual([`${common},uid=5000,gid=5000`, `${common},U`]);
});

test("only root of a kernel of its own has all capabilities", () => {
  const added = (given: Given) => hostConfig(given)["CapAdd"];
  expect(added({ containers: true })).toEqual([]);
  expect(added({ profile: "dev", uid: 0 })).toEqual(["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"]);
  expect(added({ profile: "dev", uid: 0, containers: true, runtime: "runsc" })).toEqual(["ALL"]);
});

test("where the daemon cannot limit processes, the sandbox's user is limited, save the daemon's own", () => {
  expect(ulimits("Docker", [], 5000)).toEqual(["nofile", "fsize", "core"]);
  expect(ulimits("Docker", ["memory", "processes"], 5000)).toEqual(["nofile", "fsize", "core", "nproc"]);
  expect(ulimits("Docker", ["memory", "processes"], 0)).toEqual(["nofile", "fsize", "core"]);
  expect(ulimits("Podman", [], 0)).toEqual(["nofile", "fsize", "core", "nproc"]);
});

test("root of a sandbox reads no tables of the kernel and writes nothing beside its control groups; Podman has its own lists", () => {
  const listed = (product: DaemonInfo["product"], given: Given) => {
    const { MaskedPaths, ReadonlyPaths } = hostConfig({ ...given, daemon: { product, missingLimits: [] } });
    return { MaskedPaths, ReadonlyPaths };
  };
  const dev = { profile: "dev", uid: 0 } as const;
  expect(listed("Docker", dev)).toEqual({
    MaskedPaths: expect.arrayContaining(["/proc/kcore", "/proc/slabinfo", "/proc/vmallocinfo"]) as unknown,
    ReadonlyPaths: expect.arrayContaining(["/proc/sys", "/sys/fs/cgroup"]) as unknown,
  });
  const own = { MaskedPaths: undefined, ReadonlyPaths: undefined };
  expect([listed("Docker", {}), listed("Podman", dev)]).toEqual([own, own]);
});
