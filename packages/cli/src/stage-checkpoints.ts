import { copyFile, link, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { makeStage, type Stage } from "./make-stage.ts";

const TRIES = 50;
const STAGES = ".backup-";

/**
 * Links every file of the checkpoints to a place where nothing is removed, also while a server writes and collects.
 * What names others is taken before them: references, indexes, packs. A server that collects writes the new index,
 * removes the old ones, then the packs that only they named. So where all indexes that were taken are still there once
 * the packs are, no pack of theirs was gone; else that family of conversations is taken again.
 * They are in the directory `checkpoints` of what is given, where there are any.
 * @throws AppError `storage_failed` when a server collects without end
 */
export async function stageCheckpoints(home: string): Promise<Stage> {
  const root = path.join(home, "checkpoints");
  // Beside them, since a link does not reach other disks.
  const stage = makeStage(home, STAGES);
  const { directory } = stage;
  try {
    for (const id of await namesIn(root)) await stageOne(path.join(root, id), path.join(directory, "checkpoints", id));
  } catch (thrown) {
    stage.remove();
    throw thrown;
  }
  return stage;
}

/** Whether a name in the state directory is of a backup under way, or of one that was killed. */
export const isStage = (name: string): boolean => name.startsWith(STAGES);

async function stageOne(from: string, to: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await rm(to, { recursive: true, force: true });
    if (await taken(from, to)) return;
  }
  throw new AppError("storage_failed", "The backup could not be written: the checkpoints change too fast. Try again.");
}

/** False when indexes went away meanwhile. */
async function taken(from: string, to: string): Promise<boolean> {
  for (const part of ["refs", "notes"]) await linkAll(path.join(from, part), path.join(to, part));
  const indexes = await linkAll(path.join(from, "indexes"), path.join(to, "indexes"));
  await linkAll(path.join(from, "packs"), path.join(to, "packs"));
  const there = new Set(await namesIn(path.join(from, "indexes")));
  return indexes.every((name) => there.has(name));
}

/** Links what is there, and answers the names that were found. What goes away meanwhile is passed over. */
async function linkAll(from: string, to: string): Promise<readonly string[]> {
  const entries = await entriesIn(from);
  if (entries.length > 0) await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of entries) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await linkAll(source, target);
    else await linkOrCopy(source, target).catch(unlessGone);
  }
  return entries.map(({ name }) => name);
}

/** Files of the store never change: a link is as good as a copy. Not every file system has links. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") throw thrown;
    await copyFile(source, target);
  }
}

async function entriesIn(directory: string) {
  const entries = await readdir(directory, { withFileTypes: true }).catch((thrown: unknown) => {
    unlessGone(thrown);
    return [];
  });
  // What begins with a dot is not written to its end.
  return entries.filter(({ name }) => !name.startsWith("."));
}

const namesIn = async (directory: string) => (await entriesIn(directory)).map(({ name }) => name);

function unlessGone(thrown: unknown): void {
  if (codeOf(thrown) !== "ENOENT") throw thrown;
}

const codeOf = (thrown: unknown) => (thrown instanceof Error && "code" in thrown ? thrown.code : undefined);
