import { expect, test } from "vitest";
import { healthOf } from "./containerd-health.ts";
import { unreachable, withoutCri } from "./cri-error.ts";
import type { RuntimeStatus } from "./cri-shapes.ts";
import { interfacesIn, requireLoopbackOnly } from "./pod-network.ts";

const VERSION = { runtimeName: "containerd", runtimeVersion: "1.6.20" };
const READY = { type: "RuntimeReady", status: true, reason: "", message: "" };
const CONFIG = JSON.stringify({ containerd: { snapshotter: "overlayfs", defaultRuntimeName: "runc" }, cni: {} });
const REMEDY = "Give Handrail a CNI configuration of its own, as the guide's page on installing says.";

function statusOf(conditions: RuntimeStatus["conditions"], plugins: readonly string[]): RuntimeStatus {
  const network = { Config: { Plugins: plugins.map((type) => ({ Network: { type }, Source: "" })) }, IFName: "eth0" };
  return { conditions, info: { config: CONFIG, cniconfig: JSON.stringify({ Networks: [network] }) } };
}

test("a runtime whose pods have no network works, and is told with its parts", () => {
  const status = statusOf([READY], ["loopback", "tuning"]);
  const works = { name: "containerd", works: true } as const;
  expect(healthOf(VERSION, status, "")).toEqual({ ...works, detail: "containerd 1.6.20, runc, overlayfs" });
  expect(healthOf(VERSION, status, "runsc")).toEqual({ ...works, detail: "containerd 1.6.20, runsc, overlayfs" });
  expect(healthOf({ runtimeName: "cri-o", runtimeVersion: "1.30.0" }, { conditions: [READY], info: {} }, "")).toEqual({
    ...works,
    detail: "cri-o 1.30.0",
  });
});

test("a runtime that gives pods a network does not work, unless a handler of its own is asked for", () => {
  const status = statusOf([READY], ["bridge", "portmap"]);
  expect(healthOf(VERSION, status, "")).toEqual({
    name: "containerd",
    works: false,
    detail: "containerd 1.6.20, runc, overlayfs: pods would get a network (bridge, portmap).",
    remedy: REMEDY,
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
  });
});

test("errors of a socket say what to do", () => {
  expect(unreachable("/x.sock", "connect ENOENT /x.sock").message).toMatch(
    /systemctl start containerd.*CONTAINERD_ADDRESS/,
  );
  expect(unreachable("/x.sock", "connect EACCES /x.sock").message).toMatch(/run the server as root/);
  expect(withoutCri("/x.sock").message).toMatch(/disabled_plugins/);
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
  await expect(requireLoopbackOnly(undefined)).rejects.toMatchObject({ code: "backend_unavailable" });
});
