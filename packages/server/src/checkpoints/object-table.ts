import { randomInt } from "node:crypto";
import { bitsOf, kindAndPlace, type StoredObject } from "./object-index.ts";

/** Objects by name. */
export type StoredObjects = Pick<ReadonlyMap<string, StoredObject>, "size" | "has" | "get" | "keys" | "values"> &
  Iterable<readonly [string, StoredObject]>;

const NAME_BYTES = 32;
/** Of one object, in words of 32 bits: its name, what it is, number of its pack, size, offset, length, place and bytes inside. */
const ROW = 16;
const NAME = NAME_BYTES / 4;
const [KIND, PACK, SIZE, OFFSET, LENGTH, AT, BYTES] = [8, 9, 10, 11, 12, 13, 14] as const;

const BLOCK_ROWS = 8192;
/** Each grows by itself, so that none takes long. */
const SHARDS = 256;
const FIRST_SLOTS = 8;

type Shard = { slots: Uint32Array; used: number };

/**
 * Objects by name, in some 80 bytes for each, which as records of a map would take four times as much. They are in the order in
 * which they were set first. A name is a SHA-256 in hexadecimal; nothing else is here.
 */
export class ObjectTable implements StoredObjects {
  readonly #blocks: Int32Array[] = [];
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => ({
    slots: new Uint32Array(FIRST_SLOTS),
    used: 0,
  }));
  readonly #packs: string[] = [];
  readonly #packNumbers = new Map<string, number>();
  readonly #nameBytes = Buffer.alloc(NAME_BYTES);
  readonly #name = new Int32Array(this.#nameBytes.buffer, this.#nameBytes.byteOffset, NAME);
  /** Names come from who chooses the contents: so that these cannot choose places too. */
  readonly #keys = [randomInt(2 ** 31) * 2 + 1, randomInt(2 ** 31) * 2 + 1] as const;
  #size = 0;

  constructor(objects: Iterable<readonly [string, StoredObject]> = []) {
    for (const [name, object] of objects) this.set(name, object);
  }

  get size(): number {
    return this.#size;
  }

  has(name: string): boolean {
    return this.rowOf(name) !== undefined;
  }

  get(name: string): StoredObject | undefined {
    const row = this.rowOf(name);
    return row === undefined ? undefined : this.objectAt(row);
  }

  /** Which one it is, in their order. */
  rowOf(name: string): number | undefined {
    return this.#takeName(name) ? this.#find() : undefined;
  }

  /** @throws RangeError for a name that is none */
  set(name: string, object: StoredObject): void {
    if (!this.#takeName(name)) throw new RangeError("It is no name of an object.");
    const row = this.#find() ?? this.#added();
    const block = this.#blockOf(row);
    const at = (row % BLOCK_ROWS) * ROW;
    const { size, pack, offset, length, inside } = object;
    block[at + KIND] = bitsOf(object);
    block[at + PACK] = this.#packNumber(pack);
    block[at + SIZE] = size;
    block[at + OFFSET] = offset;
    block[at + LENGTH] = length;
    block[at + AT] = inside?.at ?? 0;
    block[at + BYTES] = inside?.bytes ?? 0;
  }

  nameAt(row: number): string {
    const block = this.#blockOf(row);
    const from = (row % BLOCK_ROWS) * ROW;
    return Buffer.from(block.buffer, from * 4, NAME_BYTES).toString("hex");
  }

  objectAt(row: number): StoredObject {
    const block = this.#blockOf(row);
    const from = (row % BLOCK_ROWS) * ROW;
    const number = (word: number) => (block[from + word] ?? 0) >>> 0;
    return {
      size: number(SIZE),
      pack: this.#packs[number(PACK)] ?? "",
      offset: number(OFFSET),
      length: number(LENGTH),
      ...kindAndPlace(number(KIND), { at: number(AT), bytes: number(BYTES) }),
    };
  }

  *keys(): MapIterator<string> {
    for (let row = 0; row < this.#size; row++) yield this.nameAt(row);
  }

  *values(): MapIterator<StoredObject> {
    for (let row = 0; row < this.#size; row++) yield this.objectAt(row);
  }

  *[Symbol.iterator](): MapIterator<[string, StoredObject]> {
    for (let row = 0; row < this.#size; row++) yield [this.nameAt(row), this.objectAt(row)];
  }

  #takeName(name: string): boolean {
    return name.length === NAME_BYTES * 2 && this.#nameBytes.write(name, "hex") === NAME_BYTES;
  }

  #packNumber(pack: string): number {
    const known = this.#packNumbers.get(pack);
    if (known !== undefined) return known;
    this.#packNumbers.set(pack, this.#packs.push(pack) - 1);
    return this.#packs.length - 1;
  }

  #blockOf(row: number): Int32Array {
    const block = this.#blocks[Math.floor(row / BLOCK_ROWS)];
    if (block === undefined) throw new RangeError("There are not so many objects.");
    return block;
  }

  /** That of the name that was taken. */
  #find(): number | undefined {
    const hash = this.#hash(this.#name, 0);
    const { slots } = this.#shardOf(hash);
    for (let to = hash % slots.length; ; to = (to + 1) % slots.length) {
      const row = (slots[to] ?? 0) - 1;
      if (row < 0) return undefined;
      if (this.#isNamed(row)) return row;
    }
  }

  #isNamed(row: number): boolean {
    const block = this.#blockOf(row);
    const from = (row % BLOCK_ROWS) * ROW;
    for (let word = 0; word < NAME; word++) if (block[from + word] !== this.#name[word]) return false;
    return true;
  }

  #added(): number {
    const row = this.#size;
    if (row % BLOCK_ROWS === 0) this.#blocks.push(new Int32Array(BLOCK_ROWS * ROW));
    this.#blockOf(row).set(this.#name, (row % BLOCK_ROWS) * ROW);
    this.#size += 1;
    const shard = this.#shardOf(this.#hash(this.#name, 0));
    shard.used += 1;
    if (shard.used * 2 > shard.slots.length) {
      const old = shard.slots;
      shard.slots = new Uint32Array(old.length * 2);
      for (const number of old) if (number > 0) this.#point(number - 1);
    }
    this.#point(row);
    return row;
  }

  #point(row: number): void {
    const hash = this.#hash(this.#blockOf(row), (row % BLOCK_ROWS) * ROW);
    const { slots } = this.#shardOf(hash);
    let to = hash % slots.length;
    while (slots[to] !== 0) to = (to + 1) % slots.length;
    slots[to] = row + 1;
  }

  #hash(words: Int32Array, at: number): number {
    const [one, other] = this.#keys;
    const mixed = Math.imul(words[at] ?? 0, one) + Math.imul(words[at + 1] ?? 0, other);
    return Math.imul(mixed ^ (mixed >>> 15), one) >>> 0;
  }

  #shardOf(hash: number): Shard {
    const shard = this.#shards[hash >>> 24];
    if (shard === undefined) throw new RangeError("There is no such shard.");
    return shard;
  }
}
