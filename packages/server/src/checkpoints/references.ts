import type { CheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { z } from "zod";
import type { Seal } from "./seal.ts";

/** A checkpoint that a conversation holds on to. */
export type Reference = { readonly conversationId: string; readonly checkpointId: string; readonly root: string };

/** Where a lineage is kept, and how. */
export type LineagePlace = { readonly lineageId: string; readonly store: CheckpointStore; readonly seal: Seal };

const RefContent = z.object({ root: z.string() });
/** Marks a reference of which only the newest are kept. */
const STEP = ".step";

/** What keeps the snapshots of a lineage: its conversations' hold on them. */
export class References {
  readonly #place: LineagePlace;

  constructor(place: LineagePlace) {
    this.#place = place;
  }

  async all(): Promise<Reference[]> {
    const { lineageId, store, seal } = this.#place;
    const references: Reference[] = [];
    for (const path of await store.list(`${lineageId}/refs/`)) {
      const [, , conversationId = ""] = path.split("/");
      const bytes = seal.open(path, await store.get(path));
      const { root } = RefContent.parse(JSON.parse(bytes.toString("utf8")));
      references.push({ conversationId, checkpointId: heldIn(path), root });
    }
    return references;
  }

  async add({ conversationId, checkpointId, root }: Reference): Promise<void> {
    await this.#put(this.#of(conversationId) + checkpointId, root);
  }

  /** The same for a checkpoint after a step. Of a conversation's only the newest `most` stay, and `latest`. */
  async addStep(
    { conversationId, checkpointId, root }: Reference,
    most: number,
    latest: string | undefined,
  ): Promise<void> {
    const { store } = this.#place;
    const prefix = this.#of(conversationId);
    await this.#put(prefix + checkpointId + STEP, root);
    const steps = (await store.list(prefix)).filter((path) => path.endsWith(STEP)).toSorted();
    const stays = (path: string) => [checkpointId, latest].includes(heldIn(path));
    for (const path of steps.slice(0, -most)) if (!stays(path)) await store.remove(path);
  }

  /** Of checkpoints after steps only the newest of each conversation stays, and `latest`. */
  async removeOldSteps(latest: string | undefined): Promise<void> {
    const { lineageId, store } = this.#place;
    const steps = (await store.list(`${lineageId}/refs/`)).filter((path) => path.endsWith(STEP)).toSorted();
    const newest = new Set(new Map(steps.map((path) => [path.slice(0, path.lastIndexOf("/")), path])).values());
    for (const path of steps) if (!newest.has(path) && heldIn(path) !== latest) await store.remove(path);
  }

  async removeStep(conversationId: string, checkpointId: string): Promise<void> {
    await this.#place.store.remove(this.#of(conversationId) + checkpointId + STEP);
  }

  /** All that a conversation holds. */
  async removeOf(conversationId: string): Promise<void> {
    const { store } = this.#place;
    for (const path of await store.list(this.#of(conversationId))) await store.remove(path);
  }

  #of(conversationId: string): string {
    return referencesOf(this.#place.lineageId, conversationId);
  }

  async #put(path: string, root: string): Promise<void> {
    const { store, seal } = this.#place;
    await store.put(path, seal.seal(path, Buffer.from(JSON.stringify({ root }))));
  }
}

/** Where references of a conversation are, in the store. */
export function referencesOf(lineageId: string, conversationId: string): string {
  return `${lineageId}/refs/${conversationId}/`;
}

/** The id of the checkpoint that the reference at this path is to. */
export function heldIn(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.endsWith(STEP) ? name.slice(0, -STEP.length) : name;
}
