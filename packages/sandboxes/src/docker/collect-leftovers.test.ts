import type { KeptConversations } from "@handrail/core/ports/sandbox";
import { expect, test } from "vitest";
import { processName } from "../process-name.ts";
import { collectLeftovers } from "./collect-leftovers.ts";
import { DockerError } from "./docker-error.ts";
import { BUILT_IMAGE } from "./docker-image.ts";
import type { ListedImage } from "./docker-shapes.ts";
import { madeNames, LABEL } from "../labels/made-names.ts";

const PROGRAMS = "handrail-a-programs-2-b";
const MINUTE_MS = 60_000;
const own = { [LABEL.installation]: "a" };
const of = (conversation: string) => ({ ...own, [LABEL.conversation]: conversation });
const sandbox = (conversation: string) => ({ ...of(conversation), [LABEL.sandbox]: "x" });
const by = (maker: string) => ({ [LABEL.maker]: maker });
/** Of a process that has ended: this one's id and place, at another time. */
const ENDED = by(`${processName()}1`);
const LIVING = by(processName());
const ELSEWHERE = by("elsewhere/1/2");
const helper = { ...own, [LABEL.helper]: "x" };
const keeper = { ...own, [LABEL.conversation]: "c_kept", [LABEL.keeper]: "x" };
const programs = (volume: string) => ({ ...own, [LABEL.programs]: volume });

type Thing = {
  readonly labels: Readonly<Record<string, string>>;
  readonly state?: string;
  readonly minutes?: number;
};

const CONTAINERS: Readonly<Record<string, Thing>> = {
  kept: { labels: sandbox("c_kept"), state: "running", minutes: 9000 },
  left: { labels: sandbox("c_left"), state: "running" },
};
const NOTHING: Readonly<Record<string, Error>> = {};
const VOLUMES: Readonly<Record<string, Thing>> = {
  "ws-kept": { labels: of("c_kept"), minutes: 9000 },
  "ws-left": { labels: of("c_left") },
  old: { labels: programs("old"), minutes: 9000 },
  [PROGRAMS]: { labels: { ...programs(PROGRAMS), ...ENDED }, minutes: 9000 },
  whole: { labels: { ...programs(PROGRAMS), ...ENDED }, minutes: 9000 },
};

const NO_IMAGES: readonly ListedImage[] = [];
const IMAGES = [
  { references: ["handrail/sandbox:0123456789ab"], createdAtMs: 1 },
  { references: [BUILT_IMAGE], createdAtMs: 2 },
];

/** A daemon with containers, volumes and images of the installation; what `refuses` it does not remove. */
function daemon({ containers = CONTAINERS, volumes = VOLUMES, refuses = NOTHING, images = NO_IMAGES } = {}) {
  const listed = (things: Readonly<Record<string, Thing>>) =>
    Object.entries(things).map(([id, { labels, state = "", minutes = 0 }]) => ({
      id,
      name: id,
      labels,
      state,
      createdAtMs: Date.now() - minutes * MINUTE_MS,
    }));
  const removed: string[] = [];
  const asked: (readonly string[])[] = [];
  const remove = async (id: string) => {
    if (refuses[id] !== undefined) throw refuses[id];
    removed.push(id);
  };
  const list = (things: Readonly<Record<string, Thing>>) => async (labels: readonly string[]) => {
    asked.push(labels);
    return listed(things);
  };
  const disks: KeptConversations[] = [];
  const tidied: string[] = [];
  const parts = {
    client: {
      listContainers: list(containers),
      listVolumes: list(volumes),
      removeContainer: remove,
      removeVolume: remove,
      listImages: async () => images,
      removeImage: remove,
    },
    names: madeNames("a"),
    volumes: { programsName: async () => PROGRAMS },
    disks: { collect: async (keep: KeptConversations) => void disks.push(keep) },
    daemonDisks: {
      tidy: async (leftovers: readonly { readonly name: string }[]) =>
        void tidied.push(...leftovers.map(({ name }) => name)),
    },
    links: { release: (id: string) => void removed.push(`link ${id}`) },
  };
  const keep = new Set(["c_kept"]);
  return { collect: () => collectLeftovers(parts, keep), removed, asked, disks, tidied, keep };
}

test("what is left of conversations that are not kept goes, and programs and images of other versions", async () => {
  const { collect, removed, asked, disks, tidied, keep } = daemon({ images: IMAGES });
  await collect();
  expect(removed).toEqual(["link c_left", "left", "ws-left", "old", "handrail/sandbox:0123456789ab"]);
  expect(asked).toEqual([["handrail.installation=a"], ["handrail.installation=a"]]);
  expect(disks).toEqual([keep]);
  expect(tidied).toEqual(["ws-left", "old"]);
});

test("containers that servers were at work with go once their server has ended, and others stay", async () => {
  const containers = {
    carrier: { labels: { ...of("c_kept"), ...LIVING }, state: "created" },
    "carrier-ended": { labels: { ...of("c_kept"), ...ENDED }, state: "created" },
    "carrier-elsewhere": { labels: { ...of("c_kept"), ...ELSEWHERE }, state: "created", minutes: 10 },
    "carrier-long-ago": { labels: { ...of("c_kept"), ...ELSEWHERE }, state: "created", minutes: 100 },
    "carrier-programs": { labels: { ...programs(PROGRAMS), ...ENDED }, state: "created" },
    probe: { labels: { ...own, ...LIVING }, state: "running" },
    "probe-ended": { labels: { ...own, ...ENDED }, state: "running" },
    helper: { labels: { ...helper, ...LIVING }, state: "created" },
    "helper-runs": { labels: { ...helper, ...ENDED }, state: "running" },
    "helper-ended": { labels: { ...helper, ...ENDED }, state: "exited" },
    keeper: { labels: { ...keeper, ...ENDED }, state: "running" },
    "keeper-left": { labels: { ...keeper, ...of("c_left"), ...ENDED }, state: "running" },
    "keeper-ended": { labels: { ...keeper, ...ENDED }, state: "exited" },
  };
  const { collect, removed } = daemon({ containers, volumes: {} });
  await collect();
  expect(removed).toEqual([
    "carrier-ended",
    "carrier-long-ago",
    "carrier-programs",
    "probe-ended",
    "helper-ended",
    "link c_left",
    "keeper-left",
    "keeper-ended",
  ]);
});

test("a sandbox that has ended by itself goes, and one that is being started stays", async () => {
  const labels = sandbox("c_kept");
  const containers = {
    starting: { labels: { ...labels, ...LIVING }, state: "created" },
    "not-started": { labels: { ...labels, ...ENDED }, state: "created" },
    ended: { labels: { ...labels, ...ENDED }, state: "exited" },
    runs: { labels: { ...labels, ...ENDED }, state: "running", minutes: 9000 },
    paused: { labels: { ...labels, ...ENDED }, state: "paused", minutes: 9000 },
  };
  const { collect, removed } = daemon({ containers, volumes: {} });
  await collect();
  expect(removed).toEqual(["not-started", "ended"]);
});

test("volumes that a living server fills or tries disks beside stay, and those of others go", async () => {
  const probe = (name: string) => ({ ...own, [LABEL.disk]: name });
  const volumes = {
    filled: { labels: { ...programs("filled"), ...LIVING } },
    "filled-ended": { labels: { ...programs("filled-ended"), ...ENDED } },
    probe: { labels: { ...probe("probe"), ...LIVING } },
    "probe-ended": { labels: { ...probe("probe-ended"), ...ENDED } },
  };
  const { collect, removed, tidied } = daemon({ containers: {}, volumes });
  await collect();
  expect(removed).toEqual(["filled-ended", "probe-ended"]);
  expect(tidied).toEqual(removed);
});

test("a volume in use stays for the next time", async () => {
  const { collect, removed, disks } = daemon({ refuses: { "ws-left": new DockerError(409, "volume is in use") } });
  await collect();
  expect(removed).toEqual(["link c_left", "left", "old"]);
  expect(disks.length).toBe(1);
});

test("a container that cannot be removed keeps nothing else from it, and is told", async () => {
  const busy = new DockerError(500, "device or resource busy");
  const { collect, removed, disks } = daemon({ refuses: { left: busy } });
  await expect(collect()).rejects.toBe(busy);
  expect(removed).toEqual(["link c_left", "ws-left", "old"]);
  expect(disks.length).toBe(1);
});
