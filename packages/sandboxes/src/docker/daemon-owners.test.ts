import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { daemonOwners } from "./daemon-owners.ts";
import { madeNames } from "../labels/made-names.ts";
import type { Inside } from "./runtime-kernel.ts";

const USERS = "         0       1000          1\n         1     300000      65535\n";
const GROUPS = "         0     400000       5000\n";

/** A daemon whose containers have these maps. `probes` are the files that were looked at in one. */
function setUp(userNamespaces: boolean, failures = 0) {
  const probes: string[] = [];
  const client = {
    createContainer: async (_name: string, { Cmd }: { readonly Cmd: readonly string[] }) => {
      probes.push(Cmd.at(-1) ?? "");
      if (probes.length <= failures) throw new Error("no container");
      return Cmd.at(-1) ?? "";
    },
    attach: async (id: string) => Readable.from([Buffer.from(id.includes("uid") ? USERS : GROUPS)]),
    startContainer: async () => undefined,
    removeContainer: async () => undefined,
  };
  const names = { ...madeNames("i"), container: (name: string) => name };
  const inside = async () => ({ client, names, imageId: "n", programs: "p" }) as unknown as Inside;
  return { owners: daemonOwners({ facts: async () => ({ userNamespaces }), inside }), probes };
}

test("without user namespaces a user is the same on the daemon's machine, which is not asked", async () => {
  const { owners, probes } = setUp(false);
  expect(await owners(4096)).toEqual({ uid: 4096, gid: 4096 });
  expect(probes).toEqual([]);
});

test("where users are mapped, each is who the maps say, whatever pieces they are in; they are read once", async () => {
  const { owners, probes } = setUp(true);
  expect(await Promise.all([owners(0), owners(4096)])).toEqual([
    { uid: 1000, gid: 400_000 },
    { uid: 304_095, gid: 404_096 },
  ]);
  expect(probes).toEqual(["/proc/self/uid_map", "/proc/self/gid_map"]);
});

test("a user who is nobody there is told, with what to do", async () => {
  await expect(setUp(true).owners(5000)).rejects.toMatchObject({
    code: "sandbox_failed",
    message: "The Docker daemon's user namespace has no id 5000. Give it 65536 in /etc/subuid and /etc/subgid.",
  });
});

test("maps that could not be read are read again", async () => {
  const { owners } = setUp(true, 1);
  await expect(owners(0)).rejects.toThrow("no container");
  expect(await owners(0)).toEqual({ uid: 1000, gid: 400_000 });
});
