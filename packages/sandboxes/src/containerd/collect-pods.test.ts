import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { madeNames, LABEL } from "../labels/made-names.ts";
import { processName } from "../process-name.ts";
import { collectPods } from "./collect-pods.ts";
import type { ContainerState } from "./cri-shapes.ts";

const MINUTE_MS = 60_000;
const by = (maker: string) => ({ [LABEL.maker]: maker });
/** Of a process that has ended: this one's id and place, at another time. */
const ENDED = by(`${processName()}1`);
const LIVING = by(processName());
const ELSEWHERE = by("elsewhere/1/2");

type Thing = {
  /** Undefined: it is asked something. */
  readonly of?: string;
  readonly maker: Readonly<Record<string, string>>;
  readonly container?: ContainerState;
  readonly minutes?: number;
};

/** A runtime with these pods, of which each has its name as its sandbox's id, and a directory of scratch for each. */
async function runtime(things: Readonly<Record<string, Thing>>, starting: readonly string[] = []) {
  const scratchDirectory = await mkdtemp(join(tmpdir(), "handrail-pods-"));
  onTestFinished(() => rm(scratchDirectory, { recursive: true, force: true }));
  const scratchOf = (sandboxId: string) => join(scratchDirectory, sandboxId);
  const pods = Object.entries(things).map(([id, { of, maker, minutes = 0 }]) => ({
    id,
    labels: { [LABEL.sandbox]: id, ...(of === undefined ? {} : { [LABEL.conversation]: of }), ...maker },
    createdAt: (Date.now() - minutes * MINUTE_MS) * 1e6,
  }));
  const containers = Object.entries(things).flatMap(([id, { container: state }]) =>
    state === undefined ? [] : [{ id: `${id}-container`, podSandboxId: id, state }],
  );
  for (const name of [...Object.keys(things), "without-pod"]) await mkdir(scratchOf(name));
  const removed: string[] = [];
  const client = {
    listPods: async () => pods,
    listContainers: async () => containers,
    removePod: async (id: string) => void removed.push(id),
  };
  const parts = { client, names: madeNames("a"), starting: new Set(starting), scratchDirectory, scratchOf };
  await collectPods(parts, new Set(["c_kept"]));
  return { removed, scratch: (await readdir(scratchDirectory)).toSorted() };
}

const RUNNING = "CONTAINER_RUNNING";

test("pods of conversations that are not kept go, those that have ended too, and what there was no pod for", async () => {
  const { removed, scratch } = await runtime({
    runs: { of: "c_kept", maker: ENDED, container: RUNNING, minutes: 9000 },
    ended: { of: "c_kept", maker: LIVING, container: "CONTAINER_EXITED" },
    left: { of: "c_left", maker: LIVING, container: RUNNING },
  });
  expect(removed).toEqual(["ended", "left"]);
  expect(scratch).toEqual(["runs"]);
});

test("a pod that a server was at work with goes once the server has ended, and others stay", async () => {
  const pods = {
    "without-container": { of: "c_kept", maker: ENDED },
    "not-started": { of: "c_kept", maker: ENDED, container: "CONTAINER_CREATED" },
    "of-living": { of: "c_kept", maker: LIVING },
    "of-elsewhere": { of: "c_kept", maker: ELSEWHERE, minutes: 10 },
    "of-elsewhere-long-ago": { of: "c_kept", maker: ELSEWHERE, minutes: 100 },
    asked: { maker: LIVING, container: "CONTAINER_EXITED" },
    "asked-by-ended": { maker: ENDED, container: RUNNING },
  } as const;
  const { removed } = await runtime(pods);
  expect(removed).toEqual(["without-container", "not-started", "of-elsewhere-long-ago", "asked-by-ended"]);
});

test("what this server is starting stays, whatever it looks like", async () => {
  const { removed, scratch } = await runtime({ begun: { of: "c_left", maker: LIVING } }, ["begun", "without-pod"]);
  expect(removed).toEqual([]);
  expect(scratch).toEqual(["begun", "without-pod"]);
});
