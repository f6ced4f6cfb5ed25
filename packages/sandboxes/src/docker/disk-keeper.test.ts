import { type Duplex, duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { LABEL, madeNames } from "../labels/made-names.ts";
import { hasItsFiles, keepFiles } from "./disk-keeper.ts";

type Parts = Parameters<typeof keepFiles>[0];

const NAMES = madeNames("a");
const LABELS = NAMES.labels("c_1");

/** A daemon whose keeper says that at its start and that at the end of its input; undefined: it ends without a word. */
function daemon({ first, last, directory }: { first?: string; last?: string; directory?: string } = {}) {
  const log: string[] = [];
  const [here, there] = duplexPair();
  const client = {
    findImage: async () => ({ id: "nothing" }),
    findContainer: async () => undefined,
    createVolume: async (name: string, labels: object) => {
      log.push(`volume ${name}`);
      return { labels, directory: directory ?? `/volumes/${name}/_data` };
    },
    createContainer: async (name: string, { Labels }: { Labels: Readonly<Record<string, string>> }) => {
      log.push(`made ${name} labelled ${Labels[LABEL.keeper]}`);
      return "k";
    },
    attach: async (): Promise<Duplex> => here,
    startContainer: async () => {
      if (first === undefined) return void there.destroy();
      there.write(`${first}\n`);
      there.resume().once("end", () => (last === undefined ? there.destroy() : there.write(`${last}\n`)));
    },
    removeContainer: async (id: string) => void log.push(`removed ${id}`),
  };
  const volumes = { programs: async () => ({ name: "p", directory: "/volumes/p/_data" }) };
  const parts = { client, names: NAMES, volumes } as unknown as Parts;
  const keep = () => keepFiles(parts, { volume: "v", labels: LABELS, bytes: 1, owner: undefined, names: undefined });
  return { keep, log, here };
}

test("files are where the daemon's machine has the volume, until the keeper says that it has let go of them", async () => {
  const { keep, log, here } = daemon({ first: "ready", last: "released" });
  const files = await keep();
  expect(files).toMatchObject({ place: "/volumes/v", directory: "/volumes/v/disk", keeper: "v-keeper" });
  await files.release();
  expect(log).toEqual(["volume v", "made v-keeper labelled v-keeper"]);
  expect(here.destroyed).toBe(true);
});

test("a keeper that cannot serve says why, and is taken away", async () => {
  const why = { id: 0, code: "disk_full", message: "The disk is full." };
  const { keep, log } = daemon({ first: JSON.stringify(why) });
  await expect(keep()).rejects.toMatchObject({ code: "disk_full", message: "The disk is full." });
  expect(log.at(-1)).toBe("removed k");
});

test.each([undefined, "rubbish", "{}"])("one that says %s at its start serves nothing", async (first) => {
  const { keep, log } = daemon(first === undefined ? {} : { first });
  await expect(keep()).rejects.toMatchObject({ code: "sandbox_failed" });
  expect(log.at(-1)).toBe("removed k");
});

test("one that is gone before it let go of the files says nothing of them", async () => {
  const files = await daemon({ first: "ready" }).keep();
  await expect(files.release()).rejects.toMatchObject({ code: "sandbox_failed" });
});

test("where volumes are not kept in directories of their own nothing can be served", async () => {
  const { keep, log } = daemon({ first: "ready", directory: "/elsewhere" });
  await expect(keep()).rejects.toMatchObject({ code: "sandbox_failed" });
  expect(log).toEqual(["volume v"]);
});

test("a sandbox has its files as long as its keeper runs, where it has one", async () => {
  const found = (running: boolean | undefined) => ({
    findContainer: async (name: string) =>
      running === undefined || name !== "k" ? undefined : { ...STATE, running, labels: {} },
  });
  const STATE = { id: "k", exitCode: 0, outOfMemory: false };
  const kept = { labels: { [LABEL.keeper]: "k" } };
  expect(await Promise.all([true, false, undefined].map((running) => hasItsFiles(found(running), kept)))).toEqual([
    true,
    false,
    false,
  ]);
  expect(await hasItsFiles(found(undefined), { labels: {} })).toBe(true);
});
