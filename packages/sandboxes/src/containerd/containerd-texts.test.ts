import { expect, test } from "vitest";
import { healthOf, withFence, withLimits } from "./containerd-health.ts";
import { namespacesIn } from "./cri-client.ts";
import { CriError, unreachable, withoutCri, withoutPauseImage } from "./cri-error.ts";
import type { RuntimeStatus } from "./cri-shapes.ts";
import { importerOf } from "./import-image.ts";
import { interfacesIn, requireLoopbackOnly } from "./pod-network.ts";

const VERSION = { runtimeName: "containerd", runtimeVersion: "1.6.20" };
const READY = { type: "RuntimeReady", status: true, reason: "", message: "" };
const CONFIG = JSON.stringify({ containerd: { snapshotter: "overlayfs", defaultRuntimeName: "runc" }, cni: {} });
const REMEDY = "Give Handrail a CNI configuration of its own, as the guide's page on installing says.";

function statusOf(conditions: RuntimeStatus["conditions"], plugins: readonly string[]): RuntimeStatus {
  const network = { Config: { Plugins: plugins.map((type) => ({ Network: { type }, Source: "" })) }, IFName: "eth0" };
  return { conditions, info: { config: CONFIG, cniconfig: JSON.stringify({ Networks: [network] }) }, handlers: [] };
}

test("a runtime whose pods have no network works, and is told with its parts", () => {
  const status = statusOf([READY], ["loopback", "tuning"]);
  const works = { name: "containerd", works: true, profiles: ["strict", "default"] } as const;
  expect(healthOf(VERSION, status, "")).toEqual({ ...works, detail: "containerd 1.6.20, runc, overlayfs" });
  expect(healthOf(VERSION, status, "runsc")).toEqual({ ...works, detail: "containerd 1.6.20, runsc, overlayfs" });
  expect(
    healthOf({ runtimeName: "cri-o", runtimeVersion: "1.30.0" }, { conditions: [READY], info: {}, handlers: [] }, ""),
  ).toEqual({
    ...works,
    detail: "cri-o 1.30.0",
  });
});

test("a condition that sandboxes do not need may be false", () => {
  const other = { type: "ContainerdHasNoDeprecationWarnings", status: false, reason: "x", message: "y" };
  expect(healthOf(VERSION, statusOf([other, READY], []), "")).toMatchObject({ works: true });
});

test("what sandboxes of a runtime are not bounded in is told: where it sees no mounts of the server, /tmp too", () => {
  const health = { name: "containerd", works: true, detail: "it", profiles: ["default"] } as const;
  expect(withLimits(health, { disks: true, memoryDirectories: true })).toEqual(health);
  expect(withLimits(health, { disks: false, memoryDirectories: true })).toEqual({
    ...health,
    detail: "it; no limits on: a workspace's size",
  });
  expect(withLimits(health, { disks: false, memoryDirectories: false })).toEqual({
    ...health,
    detail: "it; no limits on: a workspace's size, /tmp",
    remedy: "Let the server and the runtime share their mounts (no PrivateTmp).",
  });
});

test("a runtime that gives pods a network does not work, unless a handler of its own is asked for", () => {
  const status = statusOf([READY], ["bridge", "portmap"]);
  expect(healthOf(VERSION, status, "")).toEqual({
    name: "containerd",
    works: false,
    detail: "containerd 1.6.20, runc, overlayfs: pods would get a network (bridge, portmap).",
    remedy: REMEDY,
    profiles: [],
  });
  expect(healthOf(VERSION, status, "handrail").works).toBe(true);
});

test("a runtime that is not ready does not work, and says why", () => {
  const message = "cni plugin not initialized";
  const condition = { type: "NetworkReady", status: false, reason: "NetworkPluginNotReady", message };
  expect(healthOf(VERSION, statusOf([READY, condition], []), "")).toEqual({
    name: "containerd",
    works: false,
    detail: `containerd 1.6.20, runc, overlayfs: NetworkReady is false (${message}).`,
    remedy: REMEDY,
    profiles: [],
  });
});

test("health says what holds root, whether there is the profile for it, and what to do where a handler was named for it in vain", () => {
  const plain = ["strict", "default"] as const;
  const health = { name: "containerd", works: true, detail: "containerd 1.6.20", profiles: plain } as const;
  const missing = { why: "it is old", remedy: "Take a new one." };
  expect(withFence(health, { handler: "gvisor", by: "kernel" }, true)).toEqual({
    ...health,
    detail: "containerd 1.6.20; dev with the kernel of gvisor",
    profiles: [...plain, "dev"],
  });
  expect(withFence(health, missing, false)).toEqual({
    ...health,
    detail: "containerd 1.6.20; no profile dev: it is old",
  });
  expect(withFence(health, missing, true)).toEqual({
    ...health,
    detail: "containerd 1.6.20; no profile dev: it is old",
    remedy: "Take a new one.",
  });
});

test("errors of a socket say what to do", () => {
  expect(unreachable("/x.sock", "connect ENOENT /x.sock").message).toMatch(
    /systemctl start containerd.*CONTAINERD_ADDRESS/,
  );
  expect(unreachable("/x.sock", "connect EACCES /x.sock").message).toMatch(/run the server as root/);
  expect(withoutCri("/x.sock").message).toMatch(/disabled_plugins/);
});

test("a runtime without a pause image is told which one to name", () => {
  const told = (message: string) => withoutPauseImage(new CriError(message), "x/pause:1")?.message;
  expect(told('failed to get sandbox image "registry.k8s.io/pause:3.6"')).toMatch(/sandbox_image .* "x\/pause:1"/);
  expect(told("creating pod sandbox: unable to pull image: pinging container registry")).toMatch(/pause_image/);
  expect(told("failed to create containerd task")).toBeUndefined();
});

test("network interfaces are read from the kernel's table", () => {
  const table = [
    "Inter-|   Receive                            |  Transmit",
    " face |bytes    packets errs drop fifo frame |bytes    packets errs drop",
    "    lo:       0       0    0    0    0     0        0       0    0    0",
    "eth0@if7:    90       1    0    0    0     0       90       1    0    0",
    "",
  ].join("\n");
  expect(interfacesIn(table)).toEqual(["lo", "eth0@if7"]);
});

test("a pod whose network is not known is not used", async () => {
  const unknown = { pid: undefined, networkPath: undefined };
  await expect(requireLoopbackOnly(unknown)).rejects.toMatchObject({ code: "backend_unavailable" });
});

test("an image is handed over by what comes with the runtime, or not at all", async () => {
  const address = ["--address", "/x.sock", "--namespace", "k8s.io"];
  expect(await importerOf("containerd", "/x.sock")).toEqual(["ctr", ...address, "images", "import", "-"]);
  expect(await importerOf("another", "/x.sock")).toBeUndefined();
});

test("a pod's namespaces are those of its process, or, where it has none, at a path", () => {
  const namespaces = [{ type: "pid" }, { type: "network", path: "/var/run/netns/x" }];
  const infos = [{ pid: 7, runtimeSpec: {} }, { runtimeSpec: { linux: { namespaces } } }, { pid: 0 }];
  expect(infos.map((info) => namespacesIn({ info: JSON.stringify(info) }))).toEqual([
    { pid: 7, networkPath: undefined },
    { pid: undefined, networkPath: "/var/run/netns/x" },
    { pid: undefined, networkPath: undefined },
  ]);
  expect(namespacesIn({ info: "not JSON" })).toEqual({ pid: undefined, networkPath: undefined });
});
