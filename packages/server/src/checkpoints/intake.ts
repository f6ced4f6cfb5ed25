import { AppError } from "@handrail/protocol/errors";
import { type Bundle, MAX_BUNDLED_BYTES } from "@handrail/protocol/sandboxd/bundles";
import {
  encodeObjectFrame,
  objectFrames,
  type ObjectFrame,
  takenFrames,
} from "@handrail/protocol/sandboxd/object-frames";
import { MAX_BLOB_BYTES, type SnapshotTree, treeInParts } from "@handrail/protocol/snapshots";
import { type Lineage, type NamedFrame, tooMany } from "./lineage.ts";
import { nameInTurn, nameOf, unpacked, unpackedInTurn } from "./object-content.ts";
import { ObjectTable, type StoredObjects } from "./object-table.ts";
import { eachInTurn, inTurn, turns } from "./turns.ts";

/** What a snapshot may have: objects and bytes, when they are unpacked, and of those the directories, with so many entries. */
export type IntakeLimits = {
  readonly bytes: number;
  readonly objects: number;
  readonly treeBytes: number;
  readonly entries: number;
  /** New objects; more are refused as too many of the lineage. */
  readonly room: number;
};

const PACK_BYTES = 32 * 1024 * 1024;
/** Of the frames that are looked for at once: small ones take many times what they are in memory. */
const PIECE_BYTES = 256 * 1024;

/** Objects as they come in: checked, gathered to packs, and stored. However many there are, others get their turns. */
export class Intake {
  readonly #lineage: Lineage;
  readonly #known: StoredObjects;
  readonly #frames = takenFrames();
  readonly #stored = new ObjectTable();
  /** Names of what is gathered for the next pack. */
  readonly #gathered = new Set<string>();
  readonly #trees = new Map<string, SnapshotTree>();
  readonly #treeFrames = new Map<string, Uint8Array>();
  readonly #limits: IntakeLimits;
  readonly #rest = turns();
  #pack: NamedFrame[] = [];
  #packBytes = 0;
  readonly #sums = { bytes: 0, objects: 0, treeBytes: 0, entries: 0 };

  constructor(lineage: Lineage, known: StoredObjects, limits: IntakeLimits) {
    this.#lineage = lineage;
    this.#known = known;
    this.#limits = limits;
  }

  /** @throws AppError `checkpoint_invalid` */
  async take(part: Uint8Array): Promise<void> {
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      for (const frame of this.#frames.take(part.subarray(at, at + PIECE_BYTES))) await this.#takeFrame(frame);
    }
  }

  async #takeFrame(frame: ObjectFrame | Bundle): Promise<void> {
    await this.#rest();
    const sums = this.#sums;
    sums.bytes += frame.size;
    if (sums.bytes > this.#limits.bytes) throw invalid("The snapshot is larger than it may be.");
    const objects = frame.kind === "bundle" ? objectsIn(frame) : [frame];
    sums.objects += objects.length;
    if (sums.objects > this.#limits.objects) throw invalid("The snapshot has too many pieces.");
    for (const object of objects) {
      await this.#rest();
      await this.#add(object);
    }
  }

  async end(): Promise<StoredObjects> {
    this.#frames.end();
    await this.#flush();
    return this.#stored;
  }

  /** New trees as they came, others as they are stored. */
  async trees(names: readonly string[]): Promise<ReadonlyMap<string, SnapshotTree>> {
    const found = new Map<string, SnapshotTree>();
    const old: string[] = [];
    for (const name of names) {
      const tree = this.#trees.get(name);
      if (tree !== undefined) found.set(name, tree);
      else if (this.#known.get(name)?.kind === "tree") old.push(name);
    }
    for (const [name, tree] of await this.#lineage.trees(old)) found.set(name, tree);
    return found;
  }

  /** To be called when all of them are stored. */
  rememberFrames(): void {
    for (const [name, frame] of this.#treeFrames) this.#lineage.rememberFrame(name, frame);
  }

  async #add(object: ObjectFrame): Promise<void> {
    const { kind, size } = object;
    if (kind === "blob" && size > MAX_BLOB_BYTES) throw invalid("A piece is too large.");
    const { name, bytes } = await contentIn(object);
    // Small pieces of files are compressed with others, where they are stored; directories go into sandboxes by themselves.
    const asItCame = kind === "tree" || size > MAX_BUNDLED_BYTES;
    const frame = encodeObjectFrame(asItCame ? object : { kind, packed: false, size, data: bytes });
    if (kind === "tree") {
      this.#trees.set(name, this.#counted(await inTurn(treeInParts(bytes)), size));
      this.#treeFrames.set(name, frame);
    }
    if ([this.#known, this.#stored, this.#gathered].some((names) => names.has(name))) return;
    this.#gathered.add(name);
    if (this.#stored.size + this.#gathered.size > this.#limits.room) throw tooMany();
    this.#pack.push({ name, kind, size, frame });
    this.#packBytes += frame.length;
    if (this.#packBytes >= PACK_BYTES) await this.#flush();
  }

  /** All directories are in memory at once. @throws AppError `checkpoint_invalid` */
  #counted(tree: SnapshotTree, size: number): SnapshotTree {
    const sums = this.#sums;
    sums.treeBytes += size;
    sums.entries += tree.entries.length;
    const tooMany = sums.treeBytes > this.#limits.treeBytes || sums.entries > this.#limits.entries;
    if (tooMany) throw invalid("The snapshot has too many files.");
    return tree;
  }

  async #flush(): Promise<void> {
    if (this.#pack.length === 0) return;
    const objects = await this.#lineage.putPack(this.#pack);
    await eachInTurn(objects, ([name, object]) => this.#stored.set(name, object));
    this.#pack = [];
    this.#gathered.clear();
    this.#packBytes = 0;
  }
}

/** Directories can be large. @throws AppError `checkpoint_invalid` */
async function contentIn(object: ObjectFrame): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  if (object.kind === "tree") {
    const bytes = await unpackedInTurn(object);
    return { name: await nameInTurn("tree", bytes), bytes };
  }
  const bytes = unpacked(object);
  return { name: nameOf("blob", bytes), bytes };
}

/** @throws AppError `checkpoint_invalid` unless it is whole */
function objectsIn({ size, data }: Bundle): readonly ObjectFrame[] {
  const frames = objectFrames();
  const found = frames.take(unpacked({ packed: true, size, data }));
  frames.end();
  return found;
}

const invalid = (message: string) => new AppError("checkpoint_invalid", message);
