import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { conversationPlace } from "../local/conversation-place.ts";
import { containerConfig, podConfig } from "./pod-config.ts";

const LIMITS = { ...DEFAULT_LIMITS, memoryBytes: 512, cpus: 1.5, processes: 100, openFiles: 200, fileBytes: 1024 };
const NAMESPACES = { network: "POD", pid: "CONTAINER", ipc: "POD" };

function configOf(profile: "strict" | "default", unifiedCgroups = false) {
  const start = {
    place: conversationPlace("/d", "c_1"),
    record: { sandboxId: "x_1", profile, token: "t" },
    socketPath: "/d/c_1/links/x_1/s.sock",
    furnished: Promise.resolve(),
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
  return containerConfig({
    start,
    image: "i",
    imageVolumes: ["/data", "/tmp"],
    nothing: "/scratch/nothing",
    uid: 5000,
    fence: undefined,
    containers: false,
    limits: LIMITS,
    labels: { a: "b" },
    programs: "/p",
    etcDirectory: "/etc-of-it",
    seccompFile: "/s.json",
    scratch: [{ source: "/scratch/tmp", target: "/tmp" }],
    files: { workspace: "/disk/workspace", state: "/disk/state" },
    unifiedCgroups,
  });
}

test("a pod's namespaces are held by a process that is nobody's and can do nothing", () => {
  expect(podConfig({ name: "n", sandboxId: "x_1", labels: { a: "b" }, seccompFile: "/strict.json" })).toEqual({
    metadata: { name: "n", uid: "x_1", namespace: "handrail" },
    hostname: "sandbox",
    labels: { a: "b" },
    linux: {
      securityContext: {
        namespaceOptions: NAMESPACES,
        runAsUser: { value: 65_534 },
        runAsGroup: { value: 65_534 },
        readonlyRootfs: true,
        seccomp: { profileType: "Localhost", localhostRef: "/strict.json" },
      },
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
    },
  });
});

test("a container has no rights and no way to more, and a limit on everything", () => {
  const { linux, mounts, command, envs, ...rest } = configOf("strict");
  expect(rest).toEqual({
    metadata: { name: "sandbox" },
    image: { image: "i", userSpecifiedImage: "i" },
    workingDir: "/workspace",
    labels: { a: "b" },
  });
  const masked = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"];
  const readOnly = [..."bus fs irq sys sysrq-trigger".split(" ").map((name) => `/proc/${name}`), "/sys/fs/cgroup"];
  expect(linux).toEqual({
    resources: { memoryLimitInBytes: 512, memorySwapLimitInBytes: 512, cpuPeriod: 100_000, cpuQuota: 150_000 },
    securityContext: {
      capabilities: { addCapabilities: [], dropCapabilities: ["ALL"] },
      namespaceOptions: NAMESPACES,
      runAsUser: { value: 5000 },
      runAsGroup: { value: 5000 },
      readonlyRootfs: true,
      noNewPrivs: true,
      maskedPaths: expect.arrayContaining(masked) as string[],
      readonlyPaths: readOnly,
      seccomp: { profileType: "Localhost", localhostRef: "/s.json" },
    },
  });
  expect(mounts.filter(({ readonly }) => !readonly).map(({ containerPath }) => containerPath)).toEqual([
    "/workspace",
    "/handrail-state",
    "/tmp",
  ]);
  expect(mounts.filter(({ hostPath }) => hostPath === "/p" || hostPath === "/d/c_1/links/x_1")).toEqual([
    { hostPath: "/p", containerPath: "/handrail", readonly: true },
    { hostPath: "/d/c_1/links/x_1", containerPath: "/handrail-link", readonly: true },
  ]);
  expect(mounts.filter(({ hostPath }) => hostPath === "/scratch/nothing")).toEqual([
    { hostPath: "/scratch/nothing", containerPath: "/data", readonly: true },
  ]);
  expect(command.slice(4, 7)).toEqual(["100", "200", "2"]);
  expect(command).not.toContain("--egress-port");
  expect(envs.filter(({ key }) => /proxy/i.test(key))).toEqual([]);
});

test("the number of processes is the control group's where it can be told, and the shell's own limits hold before sandboxd", () => {
  const { linux, command, envs } = configOf("default", true);
  expect(linux.resources["unified"]).toEqual({ "pids.max": "100" });
  expect(command[2]?.split("\n").slice(3)).toEqual([
    "ulimit -c 0",
    'ulimit -n "$files" 2>/dev/null',
    'ulimit -f "$blocks" 2>/dev/null',
    'ulimit -u "$processes" 2>/dev/null || ulimit -p "$processes" || exit 96',
    'exec "$@"',
  ]);
  expect(command).toContain("--egress-port");
  expect(envs).toContainEqual({ key: "http_proxy", value: "http://127.0.0.1:3128" });
});
