import { expect, onTestFinished, test, vi } from "vitest";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { dockerHealth, healthOf, withDevRuntime } from "./docker-health.ts";
import { whyGone } from "./docker-links.ts";
import { pullReport } from "../pull-report.ts";
import { explainExit } from "../explain-exit.ts";
import { takesDisk, workspaceBounds } from "./workspace-bounds.ts";

const INFO = {
  product: "Docker",
  version: "28.5.2",
  kernel: "6.1.0",
  storage: "overlay2",
  cgroups: "cgroup v2",
  rootless: false,
  userNamespaces: false,
  selinux: false,
  architecture: "x86_64",
  cpus: 2,
  memoryBytes: 1,
  runtimes: ["runc", "runsc"],
  missingLimits: [],
} as const;
const SOCKET = { type: "socket", path: "/run/docker.sock" } as const;
const DISK = { type: "disk" } as const;
const unbounded = (why: string) => ({ type: "none", why }) as const;
const NO_BOUNDS = { bounds: async () => unbounded("") };
const STATE = { id: "x", running: false, exitCode: 3, outOfMemory: false, labels: {} };

test("a daemon that works is described", () => {
  expect(healthOf(INFO, SOCKET, DISK)).toEqual({
    name: "docker",
    works: true,
    detail: "Docker 28.5.2, overlay2, cgroup v2, rootful, no user namespaces, workspaces bounded",
    profiles: ["strict", "default", "dev"],
  });
  expect(healthOf({ ...INFO, userNamespaces: true }, SOCKET, unbounded("")).detail).toMatch(
    /rootful, user namespaces; no limits on: a workspace's size$/,
  );
});

test("why workspaces are not bounded is said, with what to do", () => {
  const why = "To bound workspaces the server needs mke2fs. Install e2fsprogs on its machine.";
  expect(healthOf(INFO, { type: "tcp", host: "build-host", port: 2375 }, unbounded(why))).toEqual({
    name: "docker",
    works: true,
    detail: "Docker 28.5.2, overlay2, cgroup v2, rootful, no user namespaces; no limits on: a workspace's size",
    remedy: `${why} Its port has no TLS: whoever reaches it is root on its machine. Use TLS, ssh or a socket.`,
    profiles: ["strict", "default", "dev"],
  });
});

const answering = { endpoint: SOCKET, info: async () => INFO } as unknown as Parameters<
  typeof dockerHealth
>[0]["client"];
const UNKNOWN = () => new Promise<never>(() => undefined);
const NO_MOUNTS = { work: async () => false };
const NO_DISKS = { problem: async () => "No disks.", areKept: async () => false };
const NEITHER = { disks: NO_MOUNTS, daemonDisks: NO_DISKS };
const MOUNTED = { disks: NO_MOUNTS, daemonDisks: { ...NO_DISKS, problem: async () => undefined } };
const KEPT = { disks: NO_MOUNTS, daemonDisks: { ...MOUNTED.daemonDisks, areKept: async () => true } };
const QUOTAS = async () => ({ bounded: true, bytes: 1024 ** 3, files: 5 }) as const;
const NO_QUOTAS = async () => ({ bounded: false, why: "" }) as const;

test("where the server's own mounts bound workspaces, the daemon is not asked whether it could", async () => {
  const looked = { disks: { work: async () => true }, daemonDisks: { ...NO_DISKS, problem: UNKNOWN }, quotas: UNKNOWN };
  expect(await workspaceBounds(looked)).toEqual(DISK);
});

test("where it has disks nobody is asked for quotas, which bound workspaces where it has none", async () => {
  expect(await workspaceBounds({ ...MOUNTED, quotas: UNKNOWN })).toEqual(DISK);
  const bounds = { type: "quota", bytes: 1024 ** 3, files: 5 };
  expect(await workspaceBounds({ ...NEITHER, quotas: QUOTAS })).toEqual({ ...bounds, dev: false });
});

test("where keepers serve disks, quotas bound what they can, which is quicker", async () => {
  expect(await workspaceBounds({ ...KEPT, quotas: NO_QUOTAS })).toEqual({ type: "fuse" });
  const bounds = { type: "quota", bytes: 1024 ** 3, files: 5, dev: true };
  expect(await workspaceBounds({ ...KEPT, quotas: QUOTAS })).toEqual(bounds);
});

test("a new workspace is on a disk where one can be had, and no quota that holds is quicker", async () => {
  const taken = (looked: Omit<Parameters<typeof takesDisk>[0], "quotas">, quotas: typeof QUOTAS | typeof NO_QUOTAS) =>
    Promise.all([false, true].map((root) => takesDisk({ ...looked, quotas }, root)));
  expect(await taken(NEITHER, QUOTAS)).toEqual([false, false]);
  expect(await taken(MOUNTED, QUOTAS)).toEqual([true, true]);
  expect(await taken(KEPT, NO_QUOTAS)).toEqual([true, true]);
  expect(await taken(KEPT, QUOTAS)).toEqual([false, true]);
});

test("where there are neither it is said why", async () => {
  const why = (text: string) => workspaceBounds({ ...NEITHER, quotas: async () => ({ bounded: false, why: text }) });
  expect(await why("")).toEqual(unbounded("No disks."));
  expect(await why("Quotas are not for all.")).toEqual(unbounded("No disks. Quotas are not for all."));
});

test("quotas are told with their sizes, and that they hold for programs that are not root", () => {
  const info = { ...INFO, rootless: true, userNamespaces: true };
  const bounds = { type: "quota", bytes: 10 * 1024 ** 3, files: 700_000, dev: false } as const;
  expect(healthOf(info, SOCKET, bounds)).toEqual({
    name: "docker",
    works: true,
    detail:
      "Docker 28.5.2, overlay2, cgroup v2, rootless, workspaces bounded by quotas (10240 MiB, 700000 files); no limits on: a workspace's size in dev",
    profiles: ["strict", "default", "dev"],
  });
  expect(healthOf({ ...info, missingLimits: ["memory"] }, SOCKET, bounds).detail).toMatch(
    /files\); no limits on: memory, a workspace's size in dev$/,
  );
  expect(healthOf(info, SOCKET, { ...bounds, dev: true }).detail).toMatch(/ 700000 files\), in dev by FUSE$/);
  expect(healthOf(info, SOCKET, { type: "fuse" }).detail).toMatch(/, rootless, workspaces bounded by FUSE$/);
});

test("who stops asking while it is being found out does not wait for that", async () => {
  const stop = new AbortController();
  const health = dockerHealth({ client: answering, bounds: UNKNOWN }, stop.signal);
  setImmediate(() => stop.abort(new Error("enough")));
  await expect(health).rejects.toThrow("enough");
});

test("while it is not known whether workspaces are bounded, that is said", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const health = dockerHealth({ client: answering, bounds: UNKNOWN }, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(4_000);
  expect((await health).remedy).toBe(
    "Whether workspaces can be bounded is still being found out. Ask again in a minute.",
  );
});

test("a daemon that cannot keep limits works, with what that means and what to do", () => {
  const info = { ...INFO, product: "Podman", rootless: true, userNamespaces: true, missingLimits: ["memory", "CPU"] };
  expect(healthOf({ ...info, product: "Podman" }, SOCKET, unbounded(""))).toEqual({
    name: "docker",
    works: true,
    detail: "Podman 28.5.2, overlay2, cgroup v2, rootless; no limits on: memory, CPU, a workspace's size",
    remedy:
      "A sandbox can take all that the daemon's machine has. Delegate control groups (cgroup v2) to the user that runs it, or use a rootful daemon.",
    profiles: ["strict", "default", "dev"],
  });
});

test("the runtime for the profile dev is named, or missed with what to do", () => {
  const health = healthOf(INFO, SOCKET, DISK);
  expect(withDevRuntime(health, INFO, "runsc")).toEqual({
    ...health,
    detail: `${health.detail}, runsc for the profile dev`,
  });
  expect(withDevRuntime(health, INFO, "sysbox-runc")).toEqual({
    ...health,
    remedy:
      'The Docker daemon has no runtime sysbox-runc for the profile dev (it has: runc, runsc). Add it under "runtimes" in the daemon\'s daemon.json and restart the daemon, or set docker-dev-runtime to one that it has.',
    profiles: ["strict", "default"],
  });
});

test("a port without TLS is warned of, except on this machine", () => {
  const remedyAt = (host: string) => healthOf(INFO, { type: "tcp", host, port: 2375 }, unbounded("")).remedy;
  expect(remedyAt("build-host")).toMatch(/no TLS: whoever reaches it is root on its machine/);
  expect(["localhost", "127.0.0.1", "::1"].map(remedyAt)).toEqual([undefined, undefined, undefined]);
});

test("a daemon that does not answer is a state with a remedy, not an error", async () => {
  const client = dockerClient(dockerEndpoint({ host: "unix:///nonexistent/docker.sock" }));
  expect(await dockerHealth({ client, ...NO_BOUNDS }, AbortSignal.timeout(5000))).toEqual({
    name: "docker",
    works: false,
    detail: "No Docker daemon answers at unix:///nonexistent/docker.sock.",
    remedy:
      "There is no such socket. Start the daemon (systemctl start docker, or Docker Desktop), or set DOCKER_HOST to where it listens.",
    profiles: [],
  });
});

test("who stops asking a daemon is told so, and not that it does not answer", async () => {
  const client = dockerClient(dockerEndpoint({ host: "unix:///nonexistent/docker.sock" }));
  const stopped = AbortSignal.abort(new Error("enough"));
  await expect(dockerHealth({ client, ...NO_BOUNDS }, stopped)).rejects.toThrow("enough");
});

test("an image that sandboxd cannot run in, and a full disk, are told from other failures at the start", () => {
  expect(explainExit("empty", 1, "error: This system has no shell: neither bash nor /bin/sh.\n")).toMatchObject({
    code: "image_unavailable",
    message: "The image empty has no shell. Choose an image that has bash or /bin/sh.",
  });
  const why = "The disk that the workspace is on is nearly full. The sandbox was ended.";
  expect(explainExit("debian", 28, `${why}\n`)).toMatchObject({ code: "disk_full", message: why });
  const log = "exec /handrail/sandboxd: no such file or directory\n";
  expect(explainExit("alpine", 127, log)).toMatchObject({ code: "image_unavailable" });
  expect(explainExit("debian", 1, "warning\nno state directory\n")).toMatchObject({
    code: "sandbox_failed",
    message: "The sandbox ended at its start (exit code 1). It said: no state directory",
  });
});

test("a sandbox that went says how", () => {
  expect(
    [undefined, STATE, { ...STATE, exitCode: 28 }, { ...STATE, exitCode: 137 }, { ...STATE, outOfMemory: true }].map(
      whyGone,
    ),
  ).toEqual([
    "The sandbox's container was removed.",
    "The sandbox ended with exit code 3.",
    "The sandbox was ended: the disk that its workspace is on is nearly full.",
    "The sandbox was killed.",
    "The sandbox ran out of memory and was ended.",
  ]);
});

test("a pull is told in megabytes over all layers, each figure once", () => {
  const said: string[] = [];
  const report = pullReport("node:24", (text) => said.push(text));
  const line = (id: string, status: string, current = 0, total = 0) => report({ id, status, current, total });
  line("a", "Pulling fs layer");
  line("a", "Downloading", 1e6, 10e6);
  line("a", "Downloading", 1_000_001, 10e6);
  line("b", "Downloading", 2e6, 5e6);
  line("a", "Download complete");
  line("a", "Extracting", 1e6, 10e6);
  expect(said).toEqual([
    "Pulling image node:24, 1 of 10 MB.",
    "Pulling image node:24, 3 of 15 MB.",
    "Pulling image node:24, 12 of 15 MB.",
  ]);
});
