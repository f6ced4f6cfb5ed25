import { AppError, toAppError } from "@handrail/protocol/errors";
import type { KeptSetupRow } from "@handrail/protocol/setup";
import { z } from "zod";
import { isSetups, sweep } from "../checkpoints/collect.ts";
import type { Lineage } from "../checkpoints/lineage.ts";
import type { Lineages } from "../checkpoints/lineages.ts";
import { storedBytes } from "../checkpoints/object-index.ts";

const Root = z.string();
/** One kept result. `before` and `after` name the workspace around the set-up; both trees are in the lineage. */
const SetupNote = z.object({
  ownerId: z.string(),
  source: z.string(),
  command: z.string(),
  before: Root,
  after: Root,
  at: z.number(),
  usedAt: z.number(),
  ranMs: z.number(),
  files: z.number(),
  bytes: z.number(),
});
export type SetupNote = z.infer<typeof SetupNote>;

const MAX_PER_PLACE = 4;
const UNUSED_MS = 30 * 24 * 3_600_000;

/** A kept result's note; undefined when there is none. */
export async function setupNote(lineage: Lineage, key: string): Promise<SetupNote | undefined> {
  return (await notesOf(lineage)).get(key);
}

/** Holds on to a result whose objects are stored; of one repository only the latest few stay. */
export async function holdSetup(lineage: Lineage, key: string, note: SetupNote): Promise<void> {
  for (const part of ["before", "after"] as const) {
    await lineage.references.add({ conversationId: key, checkpointId: part, root: note[part] });
  }
  await lineage.notes.put(key, note);
  const oldest = [...(await notesOf(lineage))].toSorted(([, one], [, other]) => other.usedAt - one.usedAt);
  for (const [old] of oldest.slice(MAX_PER_PLACE)) await drop(lineage, old);
  if (oldest.length > MAX_PER_PLACE) await sweep(lineage);
}

/** The results that an owner has, latest used first. */
export async function listSetups(lineages: Lineages, ownerId: string): Promise<KeptSetupRow[]> {
  const rows: KeptSetupRow[] = [];
  for (const { key, note } of await allSetups(lineages)) {
    if (note.ownerId !== ownerId) continue;
    const { source, command, at, usedAt, ranMs, files, bytes } = note;
    rows.push({ id: key, source, command, at, usedAt, ranMs, files, bytes });
  }
  return rows.toSorted((one, other) => other.usedAt - one.usedAt);
}

/** Forgets results of an owner: this one, or all. */
export async function forgetSetups(lineages: Lineages, ownerId: string, id: string | undefined): Promise<number> {
  const found = (await allSetups(lineages)).filter(
    ({ key, note }) => note.ownerId === ownerId && (id === undefined || id === key),
  );
  for (const one of found) await forget(lineages, one);
  return found.length;
}

/** Removes what nobody has used for long, then what was used longest ago, until no more than `maxBytes` are stored. */
export async function collectSetups(lineages: Lineages, maxBytes: number, now: number): Promise<void> {
  const byUse = (await allSetups(lineages)).toSorted((one, other) => one.note.usedAt - other.note.usedAt);
  const sizes = new Map<string, number>();
  for (const id of await setupLineages(lineages)) sizes.set(id, await lineages.use(id, (lineage) => tidied(lineage)));
  const total = () => Array.from(sizes.values()).reduce((sum, size) => sum + size, 0);
  for (const kept of byUse) {
    if (total() <= maxBytes && kept.note.usedAt > now - UNUSED_MS) continue;
    await forget(lineages, kept);
    sizes.set(kept.lineage, await lineages.use(kept.lineage, (lineage) => sizeOf(lineage)));
  }
}

type Kept = { readonly lineage: string; readonly key: string; readonly note: SetupNote };

async function allSetups(lineages: Lineages): Promise<Kept[]> {
  const all: Kept[] = [];
  for (const id of await setupLineages(lineages)) {
    const notes = await lineages.use(id, (lineage) => notesOf(lineage));
    for (const [key, note] of notes) all.push({ lineage: id, key, note });
  }
  return all;
}

const setupLineages = async (lineages: Lineages) => (await lineages.ids()).filter(isSetups);

async function forget(lineages: Lineages, { lineage, key }: Kept): Promise<void> {
  await lineages.use(lineage, async (opened) => {
    await drop(opened, key);
    await sweep(opened);
  });
}

async function drop(lineage: Lineage, key: string): Promise<void> {
  await lineage.notes.remove(key);
  await lineage.references.removeOf(key);
}

/** What a crash left between references and note goes. */
async function tidied(lineage: Lineage): Promise<number> {
  const notes = await notesOf(lineage);
  for (const { conversationId } of await lineage.references.all()) {
    if (!notes.has(conversationId)) await lineage.references.removeOf(conversationId);
  }
  await sweep(lineage);
  return sizeOf(lineage);
}

async function sizeOf(lineage: Lineage): Promise<number> {
  return await storedBytes((await lineage.objects()).values());
}

/** A note that cannot be read is none: what it was for is made again. */
async function notesOf(lineage: Lineage): Promise<ReadonlyMap<string, SetupNote>> {
  const notes = new Map<string, SetupNote>();
  const stored = await lineage.notes.all().catch((thrown: unknown) => {
    if (toAppError(thrown).code === "checkpoint_damaged") return new Map<string, unknown>();
    throw thrown;
  });
  for (const [key, value] of stored) {
    const note = SetupNote.safeParse(value);
    if (note.success) notes.set(key, note.data);
  }
  return notes;
}

/** @throws AppError `not_found` */
export function requireFound(count: number): void {
  if (count === 0) throw new AppError("not_found", "There is no such kept set-up.");
}
