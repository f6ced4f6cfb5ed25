import { expect, test } from "vitest";
import { collectLeftovers } from "./collect-leftovers.ts";
import { DockerError } from "./docker-error.ts";
import { LABEL } from "./docker-names.ts";

const PROGRAMS = "handrail-a-programs-2";
const of = (conversation: string) => ({ [LABEL.installation]: "a", [LABEL.conversation]: conversation });
const own = { [LABEL.installation]: "a" };
const helpers = [
  ["helper", "x_own", "created"],
  ["helper-runs", "x_other", "running"],
  ["helper-left", "x_other", "exited"],
] as const;

/** A daemon with these containers and volumes of the installation; what `refuses` it does not remove. */
function daemon(refuses: Readonly<Record<string, Error>> = {}, isFilling = false) {
  const named = (id: string, labels: Readonly<Record<string, string>>) => ({ id, name: id, state: "", labels });
  const removed: string[] = [];
  const asked: (readonly string[])[] = [];
  const remove = async (id: string) => {
    if (refuses[id] !== undefined) throw refuses[id];
    removed.push(id);
  };
  const disks: ReadonlySet<string>[] = [];
  const tidied: string[] = [];
  const parts = {
    client: {
      listContainers: async (labels: readonly string[]) => {
        asked.push(labels);
        return [
          named("kept", of("c_kept")),
          named("left", of("c_left")),
          named("probe", own),
          named("carrier", { ...own, [LABEL.programs]: PROGRAMS }),
          ...helpers.map(([id, helper, state]) => ({ ...named(id, { ...own, [LABEL.helper]: helper }), state })),
        ];
      },
      listVolumes: async (labels: readonly string[]) => {
        asked.push(labels);
        const old = { ...own, [LABEL.programs]: "handrail-a-programs-1" };
        const now = { ...own, [LABEL.programs]: PROGRAMS };
        return [
          named("ws-kept", of("c_kept")),
          named("ws-left", of("c_left")),
          named("old", old),
          named(PROGRAMS, now),
        ];
      },
      removeContainer: remove,
      removeVolume: remove,
    },
    names: { installation: "a" },
    volumes: { programsName: async () => PROGRAMS, isFilling: () => isFilling },
    disks: { collect: async (keep: ReadonlySet<string>) => void disks.push(keep) },
    daemonDisks: {
      helper: "x_own",
      tidy: async (leftovers: readonly { readonly name: string }[]) =>
        void tidied.push(...leftovers.map(({ name }) => name)),
    },
    links: { release: (id: string) => void removed.push(`link ${id}`) },
  };
  const keep = new Set(["c_kept"]);
  return { collect: () => collectLeftovers(parts, keep), removed, asked, disks, tidied, keep };
}

test("what is left of conversations that are not kept goes, with probes and programs of other versions", async () => {
  const { collect, removed, asked, disks, tidied, keep } = daemon();
  await collect();
  expect(removed).toEqual(["link c_left", "left", "probe", "carrier", "helper-left", "ws-left", "old"]);
  expect(asked).toEqual([["handrail.installation=a"], ["handrail.installation=a"]]);
  expect(disks).toEqual([keep]);
  expect(tidied).toEqual(["ws-left", "old"]);
});

test("the container through which programs come stays while this server fills them in", async () => {
  const { collect, removed } = daemon({}, true);
  await collect();
  expect(removed).toEqual(["link c_left", "left", "probe", "helper-left", "ws-left", "old"]);
});

test("a volume in use stays for the next time", async () => {
  const { collect, removed, disks } = daemon({ "ws-left": new DockerError(409, "volume is in use") });
  await collect();
  expect(removed).toEqual(["link c_left", "left", "probe", "carrier", "helper-left", "old"]);
  expect(disks.length).toBe(1);
});

test("a container that cannot be removed keeps nothing else from it, and is told", async () => {
  const busy = new DockerError(500, "device or resource busy");
  const { collect, removed, disks } = daemon({ left: busy });
  await expect(collect()).rejects.toBe(busy);
  expect(removed).toEqual(["link c_left", "probe", "carrier", "helper-left", "ws-left", "old"]);
  expect(disks.length).toBe(1);
});
