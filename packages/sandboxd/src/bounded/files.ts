import { type FileCalls, STAT } from "./file-calls.ts";
import { ERROR, TYPE } from "./fuse-abi.ts";
import { dropName, type Node, Nodes, pathIn, pathOf, placeOf } from "./nodes.ts";
import { number64 } from "./number64.ts";
import type { Space } from "./space.ts";

const SECTOR = 512;
/** So many files are kept open, and of so many it may be unknown what they take. */
const MOST_OPEN = 256;
const MOST_UNSETTLED = 256;
/** After so many changes it is found out for all: a directory keeps the space of names that are gone. */
const MOST_CHANGES = 4096;

/** The files below the directory that is this process's root, as the kernel knows them, and what they take of the space. */
export class Files {
  readonly nodes: Nodes;
  readonly #calls: FileCalls;
  readonly #space: Space;
  /** Those that are open and have a name, in the order of their last use. */
  readonly #opened = new Set<Node>();
  /** Of which it is not known what they take; they count as more than that. */
  readonly #unsettled = new Set<Node>();
  #changes = 0;
  #leaving = 0;

  /** @throws Error when the root cannot be looked at */
  constructor(calls: FileCalls, space: Space) {
    if (calls.look("/") < 0) throw new Error("The directory cannot be looked at.");
    this.#calls = calls;
    this.#space = space;
    this.nodes = new Nodes(statKey(calls.stat));
  }

  /** Looks at it: what it takes is known then. Below zero: an error of the system. */
  look(node: Node): number {
    const error = this.#calls.look(placeOf(node));
    if (error < 0) return error;
    this.#account(node);
    this.#unsettled.delete(node);
    return 0;
  }

  /** The file with this name, which was looked at just now; `isNew`: and made just before. The kernel is told of it. */
  enter(parent: Node, name: string, isNew: boolean): Node {
    const { stat } = this.#calls;
    const node = this.nodes.named({ parent, name }, statKey(stat), statType(stat));
    const isKnown = node.lookups > 0;
    node.lookups++;
    if (node.held && !node.removed) this.#restore(node);
    if (!isKnown && !isNew) node.bytes = statBytes(stat);
    this.#account(node);
    return node;
  }

  /** Whether there are files without a name whose space is free once the kernel has said that nobody has them open. */
  get areLeaving(): boolean {
    return this.#leaving > 0;
  }

  forget(id: number, times: number): void {
    const node = this.nodes.byId(id);
    if (node === undefined) return;
    if (node.lookups <= times && this.#unsettled.has(node)) this.look(node);
    if (!this.nodes.forget(node, times)) return;
    this.#unsettled.delete(node);
    this.#close(node);
    if (!node.removed) return;
    this.#space.addBytes(-node.bytes);
    this.#leaving--;
  }

  /** Open for reading and writing, or for reading where it is a directory. Below zero: an error of the system. */
  open(node: Node): number {
    if (node.held) return node.file;
    this.#opened.delete(node);
    if (node.file < 0) return this.#openAt(node, pathOf(node));
    this.#opened.add(node);
    return node.file;
  }

  /** Whether there is room for so many bytes more of it, which it has from then on. */
  grow(node: Node, bytes: number): boolean {
    if (!this.#hasRoom(() => this.#space.admits(bytes))) return false;
    this.#space.addBytes(bytes);
    node.bytes += bytes;
    this.unsettle(node);
    return true;
  }

  hasRoomForName(): boolean {
    return this.#hasRoom(() => this.#space.admitsName());
  }

  /** There is one name more in a directory. */
  addName(parent: Node): void {
    this.#space.addNames(1);
    this.unsettle(parent);
  }

  /** What it takes may have changed. */
  unsettle(node: Node): void {
    this.#unsettled.add(node);
    this.#changes++;
    if (this.#unsettled.size > MOST_UNSETTLED || this.#changes > MOST_CHANGES) this.settle();
  }

  /** Finds out what all take. */
  settle(): void {
    for (const node of this.#unsettled) this.look(node);
    this.#unsettled.clear();
    this.#changes = 0;
  }

  /**
   * Has the file at hand whose name goes next, since it may be in use. What it gives is to be called once the name is gone;
   * below zero: an error of the system.
   */
  removing(parent: Node, name: string): number | (() => void) {
    const { stat } = this.#calls;
    const path = pathIn(parent, name);
    const error = this.#calls.look(path);
    if (error < 0) return error;
    const isLast = statType(stat) === TYPE.directory || stat.getUint32(STAT.links, true) <= 1;
    const bytes = statBytes(stat);
    const node = this.nodes.byKey(statKey(stat));
    const held = node === undefined ? 0 : this.#keep(node, path);
    if (held < 0) return held;
    return () => {
      this.#space.addNames(-1);
      this.unsettle(parent);
      if (node !== undefined) this.#unname(node, { parent, name, isLast });
      else if (isLast) this.#space.addBytes(-bytes);
    };
  }

  #unname(node: Node, { parent, name, isLast }: { parent: Node; name: string; isLast: boolean }): void {
    if (dropName(node, { parent, name })) {
      node.held = true;
      this.#opened.delete(node);
    }
    if (!isLast || node.removed) return;
    this.nodes.remove(node);
    this.#leaving++;
  }

  /** Has it open for the case that it loses its last known name. */
  #keep(node: Node, path: string): number {
    return node.others.length > 0 || node.file >= 0 ? 0 : this.#openAt(node, path);
  }

  /** It has a name again. */
  #restore(node: Node): void {
    node.held = false;
    this.#opened.add(node);
  }

  #openAt(node: Node, path: string): number {
    const file = openAs(this.#calls, node.type, path);
    if (file < 0) return file;
    node.file = file;
    this.#opened.add(node);
    const [oldest] = this.#opened;
    if (this.#opened.size > MOST_OPEN && oldest !== undefined) this.#close(oldest);
    return file;
  }

  #close(node: Node): void {
    if (node.file >= 0) this.#calls.close(node.file);
    node.file = -1;
    this.#opened.delete(node);
  }

  #hasRoom(admits: () => boolean): boolean {
    if (admits()) return true;
    this.settle();
    return admits();
  }

  /** By what was looked at just now. */
  #account(node: Node): void {
    const bytes = statBytes(this.#calls.stat);
    this.#space.addBytes(bytes - node.bytes);
    node.bytes = bytes;
  }
}

function openAs(calls: FileCalls, type: number, path: string): number {
  if (type === TYPE.directory) return calls.openDirectory(path);
  if (type !== TYPE.regular) return calls.hold(path);
  const file = calls.open(path);
  return file === -ERROR.EACCES ? calls.openToRead(path) : file;
}

export const statType = (stat: DataView): number => stat.getUint16(STAT.mode, true) & TYPE.mask;

/** What it takes on the machine. */
export const statBytes = (stat: DataView): number => number64(stat, STAT.blocks) * SECTOR;

/** An inode's number. Some file systems use all 64 bits. */
export function statKey(stat: DataView): number | string {
  const high = stat.getUint32(STAT.inode + 4, true);
  return high < 1 << 20 ? number64(stat, STAT.inode) : String(stat.getBigUint64(STAT.inode, true));
}
