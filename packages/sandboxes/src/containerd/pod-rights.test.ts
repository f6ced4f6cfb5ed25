import { newId } from "@handrail/protocol/ids";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { conversationPlace } from "../local/conversation-place.ts";
import type { LocalStart } from "../local/local-backend.ts";
import type { ContainerWish } from "./pod-config.ts";
import { containerConfig, podConfig } from "./pod-config.ts";
import type { RootFence } from "./root-fence.ts";

const FIRST = 1_900_019_712;
const SIX = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];
const MAPPED = [{ hostId: FIRST, containerId: 0, length: 65_536 }];
const ALONE = { network: "POD", pid: "CONTAINER", ipc: "POD" };
const IN_USERS = { ...ALONE, usernsOptions: { mode: "POD", uids: MAPPED, gids: MAPPED } };

/** On a disk, unless it is to be in the conversation's own directory. */
function configOf(fence: RootFence | undefined, containers = false, onDisk = true) {
  const profile = fence === undefined ? "default" : "dev";
  const place = conversationPlace("/data", newId("c", 0));
  const start: LocalStart = {
    place,
    record: { sandboxId: newId("x", 0), profile, token: "t", uid: FIRST },
    socketPath: "/data/links/x/sandboxd.sock",
    furnished: Promise.resolve(),
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
  const wish: Omit<ContainerWish, "fence" | "containers"> = {
    start,
    image: "image",
    imageVolumes: ["/data"],
    nothing: "/scratch/nothing",
    uid: FIRST,
    limits: DEFAULT_LIMITS,
    labels: {},
    programs: "/programs",
    etcDirectory: "/data/etc",
    seccompFile: "/data/seccomp.json",
    scratch: [{ source: "/data/tmp", target: "/tmp" }],
    files: onDisk ? { workspace: "/data/disk/workspace", state: "/data/disk/state" } : place,
    unifiedCgroups: false,
  };
  return containerConfig({ ...wish, fence, containers });
}

function rightsOf(fence: RootFence | undefined, containers = false) {
  const { securityContext } = configOf(fence, containers).linux;
  const { capabilities, namespaceOptions, runAsUser, runAsGroup, readonlyRootfs, noNewPrivs } = securityContext;
  return {
    added: capabilities.addCapabilities,
    dropped: capabilities.dropCapabilities,
    namespaceOptions,
    ids: [runAsUser.value, runAsGroup.value],
    readonlyRootfs,
    noNewPrivs,
  };
}

test("a sandbox of containerd leaves others space where its workspace has no bound", () => {
  const keeps = (onDisk: boolean) => configOf(undefined, false, onDisk).command.includes("--keep-free");
  expect([true, false].map(keeps)).toEqual([false, true]);
});

describe("the rights of a sandbox of containerd", () => {
  const common = { dropped: ["ALL"], noNewPrivs: true };

  test("are none for a plain user", () => {
    expect(rightsOf(undefined)).toEqual({
      ...common,
      added: [],
      namespaceOptions: ALONE,
      ids: [FIRST, FIRST],
      readonlyRootfs: true,
    });
  });

  test("are root's of a user namespace, without more where containers are allowed", () => {
    for (const containers of [false, true]) {
      expect(rightsOf({ handler: "", by: "users" }, containers)).toEqual({
        ...common,
        added: SIX,
        namespaceOptions: IN_USERS,
        ids: [0, 0],
        readonlyRootfs: false,
      });
    }
  });

  test("are root's of a kernel of its own, with what containers take where they are allowed", () => {
    const fence = { handler: "gvisor", by: "kernel" } as const;
    const root = { ...common, namespaceOptions: ALONE, ids: [0, 0], readonlyRootfs: false };
    expect(rightsOf(fence)).toEqual({ ...root, added: SIX });
    const { added, ...rest } = rightsOf(fence, true);
    expect(rest).toEqual(root);
    expect(added.slice(0, SIX.length)).toEqual(SIX);
    expect(added).toContain("SYS_ADMIN");
    expect(added).not.toContain("ALL");
  });

  test("the pod has the user namespace of its container", () => {
    const wish = { name: "n", sandboxId: "x", labels: {}, seccompFile: "/data/strict.json" };
    const namespacesOf = (firstId?: number) => podConfig({ ...wish, firstId }).linux.securityContext.namespaceOptions;
    expect([namespacesOf(), namespacesOf(FIRST)]).toEqual([ALONE, IN_USERS]);
  });

  test("who is root has users and groups of its own system, and the network of the sandbox", () => {
    const etc = (fence: RootFence | undefined) =>
      configOf(fence).mounts.flatMap(({ containerPath }) => (containerPath.startsWith("/etc/") ? [containerPath] : []));
    expect(etc({ handler: "", by: "users" })).toEqual(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"]);
    expect(etc(undefined)).toEqual(
      ["passwd", "group", "hosts", "hostname", "nsswitch.conf", "resolv.conf"].map((name) => `/etc/${name}`),
    );
  });
});
