import { newId } from "@handrail/protocol/ids";
import { expect, test } from "vitest";
import { containerUid } from "../sandbox-user.ts";
import { DockerError } from "./docker-error.ts";
import { madeNames } from "../labels/made-names.ts";
import type { ContainerSpec } from "./docker-shapes.ts";
import { dockerVolumes } from "./docker-volumes.ts";

type Labels = Readonly<Record<string, string>>;
type Mount = { readonly Source: string; readonly VolumeOptions: { readonly Labels: Labels } };

/** A daemon that makes volumes, and puts no file into any when that is `refused`. */
function setUp({
  userNamespaces = true,
  refused = undefined as string | undefined,
  made = new Map<string, Labels>(),
} = {}) {
  const client = {
    findVolume: async (name: string) => {
      const labels = made.get(name);
      return labels && { labels, directory: "" };
    },
    createVolume: async (name: string, labels: Labels) => {
      if (!made.has(name)) made.set(name, labels);
      return { labels: made.get(name) };
    },
    removeVolume: async (name: string) => void made.delete(name),
    listVolumes: async ([label = ""]: readonly string[]) =>
      [...made].flatMap(([name, labels]) => (label in labels ? [{ name, labels }] : [])),
    createContainer: async (name: string, { HostConfig }: ContainerSpec) => {
      for (const { Source, VolumeOptions } of HostConfig["Mounts"] as readonly Mount[])
        made.set(Source, VolumeOptions.Labels);
      return name;
    },
    putArchive: async (_id: string, { tar }: { readonly tar: AsyncIterable<unknown> }) => {
      for await (const _ of tar);
      if (refused !== undefined) throw new DockerError(500, refused);
    },
    findContainer: async () => undefined,
    removeContainer: async () => undefined,
  };
  const facts = async () => ({ product: "Docker", userNamespaces });
  const parts = { client, names: madeNames("i"), facts, closing: new AbortController().signal };
  const volumes = dockerVolumes(parts as never, { directory: "/nonexistent", version: async () => "1" });
  return async (conversationId: string, owner: number) => {
    const filler = { imageId: "n", signal: AbortSignal.timeout(10_000) };
    return volumes.workspace({ conversationId, seedDirectory: undefined, owner }, filler);
  };
}

/** Two conversations that come to the same user. */
function sameUser(): readonly [string, string, number] {
  const byUser = new Map<number, string>();
  for (let tries = 0; ; tries++) {
    const id = newId("c", tries);
    const user = containerUid(id, true);
    const other = byUser.get(user);
    if (other !== undefined) return [other, id, user];
    byUser.set(user, id);
  }
}

test("no two workspaces have the same user where the daemon has few, also when both are made at once", async () => {
  const [one, two, user] = sameUser();
  const workspace = setUp();
  expect(await Promise.all([workspace(one, user), workspace(two, user)])).toEqual([user, user + 1]);
  const third = newId("c", Date.now());
  expect(await workspace(third, user)).toBe(user + 2);
  expect(await Promise.all([workspace(one, user), workspace(two, user)])).toEqual([user, user + 1]);
});

test("where users are as many as conversations can never be, others are not looked at; nor for root, who all may be", async () => {
  const workspace = setUp({ userNamespaces: false });
  expect([await workspace("c_1", 0x7000_0001), await workspace("c_2", 0x7000_0001)]).toEqual([
    0x7000_0001, 0x7000_0001,
  ]);
  const mapped = setUp();
  expect([await mapped("c_1", 0), await mapped("c_2", 0)]).toEqual([0, 0]);
});

test.each([
  ["Error: write /workspace/large: disk quota exceeded", "Raise the quota of its user"],
  ["Error: write /workspace/large: no space left on device", "Raise sandbox-disk"],
])("first files that find no room are told as that: %s", async (refused, remedy) => {
  await expect(setUp({ refused })("c_1", 5000)).rejects.toMatchObject({
    code: "disk_full",
    message: `The first files do not fit into the space that a sandbox has. ${remedy} or take fewer files.`,
  });
});

test("what else a daemon refuses stays what it says", async () => {
  await expect(setUp({ refused: "no" })("c_1", 5000)).rejects.toEqual(new DockerError(500, "no"));
});

test.each(["workspace", "state", "whole"] as const)(
  "a volume of others that is named as the %s is not filled, and stays",
  async (kind) => {
    const names = madeNames("i");
    const name = kind === "whole" ? names.whole(names.workspace("c_1")) : names[kind]("c_1");
    const made = new Map<string, Labels>([[name, { theirs: "" }]]);
    await expect(setUp({ made })("c_1", 5000)).rejects.toMatchObject({
      code: "sandbox_failed",
      message: `The volume ${name} was not made by this installation of Handrail, which needs its name. Remove or rename it.`,
    });
    expect([...made]).toEqual([[name, { theirs: "" }]]);
  },
);
