import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { madeNames } from "../labels/made-names.ts";
import { daemonDisks } from "./daemon-disks.ts";
import { DockerError } from "./docker-error.ts";

type Parts = Parameters<typeof daemonDisks>[0];

const ROOTLESS = { product: "Docker", rootless: true, userNamespaces: true, selinux: false };

/** A daemon that starts no container, and says this of it. */
function disksOf(facts: object, complaint = "") {
  const log: string[] = [];
  const client = {
    findImage: async () => ({ id: "nothing" }),
    findContainer: async () => undefined,
    createVolume: async (name: string, labels: object) => ({ labels, directory: `/volumes/${name}/_data` }),
    removeVolume: async () => void log.push("volume removed"),
    createContainer: async () => "k",
    attach: async () => duplexPair()[0],
    startContainer: async () => {
      throw new DockerError(500, complaint);
    },
    removeContainer: async () => void log.push("keeper removed"),
  };
  const volumes = { programs: async () => ({ name: "p", directory: "/volumes/p/_data" }) };
  const parts = { client, volumes, names: madeNames("a"), facts: async () => facts, wanted: true };
  return { log, disks: daemonDisks(parts as unknown as Parts), parts: parts as unknown as Parts };
}

test("a rootless daemon without FUSE has no disks, and it is said what to do", async () => {
  const { disks, log } = disksOf(ROOTLESS, 'adding custom device "/dev/fuse": no such file or directory');
  expect(await disks.problem()).toBe(
    "Workspaces cannot be bounded: adding custom device \"/dev/fuse\": no such file or directory. Load the kernel's module fuse on the daemon's machine; a daemon in a container is given /dev/fuse, as in deploy/compose/sidecar-rootless.yaml. Its user must be allowed to open it, as udev allows everybody (mode 0666).",
  );
  expect(log).toEqual(["keeper removed", "volume removed"]);
  expect(await disks.areKept()).toBe(true);
});

test("what else keeps a keeper from starting is said as it is", async () => {
  const { disks } = disksOf(ROOTLESS, "no");
  expect(await disks.problem()).toBe("Workspaces cannot be bounded: no.");
});

test("with SELinux there are none, nor where none are wanted, and nothing is tried", async () => {
  const selinux = disksOf({ ...ROOTLESS, selinux: true });
  expect(await selinux.disks.problem()).toMatch(/^A daemon with SELinux/);
  const { parts, log } = disksOf(ROOTLESS);
  expect(await daemonDisks({ ...parts, wanted: false }).problem()).toBe("");
  expect([...log, ...selinux.log]).toEqual([]);
});
