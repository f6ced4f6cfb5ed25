import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stageCheckpoints } from "./stage-checkpoints.ts";

let home = "";
beforeEach(() => (home = mkdtempSync(path.join(tmpdir(), "handrail-stage-test-"))));
afterEach(() => rmSync(home, { recursive: true }));

const PACKS = 60;

/** One conversation's checkpoints, collected over and over as a server does it: packs, the index, then removals. */
function collector() {
  const place = path.join(home, "checkpoints/c_1");
  for (const part of ["packs", "indexes", "refs/c_1"]) mkdirSync(path.join(place, part), { recursive: true });
  let round = 0;
  let old = { index: "", packs: [] as string[] };
  const write = async (name: string, text: string) => {
    await writeFile(path.join(place, path.dirname(name), ".new"), text);
    await rename(path.join(place, path.dirname(name), ".new"), path.join(place, name));
  };
  const collect = async () => {
    round += 1;
    const packs = Array.from({ length: PACKS }, (_, number) => `packs/${round}-${number}`);
    for (const pack of packs) await write(pack, "objects");
    const index = `indexes/${round}`;
    await write(index, packs.join("\n"));
    for (const name of [old.index, ...old.packs]) if (name !== "") await rm(path.join(place, name));
    old = { index, packs };
  };
  writeFileSync(path.join(place, "refs/c_1/p_1"), "root");
  return collect;
}

test("no index that was taken names a pack that is gone, while a server collects", async () => {
  const collect = collector();
  await collect();
  const collecting = { ended: false };
  const ended = (async () => {
    for (let round = 0; round < 12; round++) await collect();
    collecting.ended = true;
  })();
  while (!collecting.ended) {
    const staged = await stageCheckpoints(home);
    const place = path.join(staged.directory, "checkpoints/c_1");
    const indexes = readdirSync(path.join(place, "indexes"));
    const named = indexes.flatMap((name) => readFileSync(path.join(place, "indexes", name), "utf8").split("\n"));
    expect([indexes.length > 0, readFileSync(path.join(place, "refs/c_1/p_1"), "utf8")]).toEqual([true, "root"]);
    expect(named.filter((pack) => !existsSync(path.join(place, pack)))).toEqual([]);
    staged.remove();
  }
  await ended;
  expect(readdirSync(home)).toEqual(["checkpoints"]);
});
