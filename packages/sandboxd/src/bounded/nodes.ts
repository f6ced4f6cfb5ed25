import type { Place } from "./file-calls.ts";
import { TYPE } from "./fuse-abi.ts";

/** A name in a directory. Bytes are characters. */
export type Name = { readonly parent: Node; readonly name: string };

/** A file that the kernel knows. */
export type Node = {
  readonly id: number;
  /** Its inode's number, as a text where that is too large for a number. */
  readonly key: number | string;
  readonly type: number;
  /** The names of it that the kernel may know; undefined: the root's own, and of one that has lost them all. */
  name: Name | undefined;
  others: readonly Name[];
  /** How often the kernel was told of it and has not forgotten it. */
  lookups: number;
  /** What it counts as. */
  bytes: number;
  /** Open; -1: it is not. */
  file: number;
  /** Whether `file` is all that is left of it, since it has no name any more that is known. */
  held: boolean;
  /** Whether its last name is gone. */
  removed: boolean;
};

/** Source: linux/fuse.h, FUSE_ROOT_ID */
export const ROOT_ID = 1;

/** All files that the kernel knows, by the number that it knows them by and by their inodes. */
export class Nodes {
  readonly #byId = new Map<number, Node>();
  readonly #byKey = new Map<number | string, Node>();
  #last = ROOT_ID;

  constructor(rootKey: number | string) {
    const root = newNode(ROOT_ID, rootKey, TYPE.directory);
    root.lookups = 1;
    this.#add(root);
  }

  byId(id: number): Node | undefined {
    return this.#byId.get(id);
  }

  byKey(key: number | string): Node | undefined {
    return this.#byKey.get(key);
  }

  /** The file with this inode, which has this name. */
  named(name: Name, key: number | string, type: number): Node {
    let node = this.#byKey.get(key);
    if (node === undefined || node.type !== type) {
      node = newNode(++this.#last, key, type);
      this.#add(node);
    }
    giveName(node, name);
    return node;
  }

  /** Its inode's number is another's from now on. */
  remove(node: Node): void {
    node.removed = true;
    if (this.#byKey.get(node.key) === node) this.#byKey.delete(node.key);
  }

  /** True once the kernel has forgotten it for good. */
  forget(node: Node, times: number): boolean {
    node.lookups -= times;
    if (node.lookups > 0 || node.id === ROOT_ID) return false;
    this.#byId.delete(node.id);
    if (this.#byKey.get(node.key) === node) this.#byKey.delete(node.key);
    return true;
  }

  #add(node: Node): void {
    this.#byId.set(node.id, node);
    this.#byKey.set(node.key, node);
  }
}

function newNode(id: number, key: number | string, type: number): Node {
  const unknown = { name: undefined, others: [], lookups: 0, bytes: 0, file: -1, held: false, removed: false };
  return { id, key, type, ...unknown };
}

/** From the root, which has none above it. One that is held has none. */
export function pathOf(node: Node): string {
  let path = "";
  for (let at = node.name; at !== undefined; at = at.parent.name) path = `/${at.name}${path}`;
  return path === "" ? "/" : path;
}

/** By its path, or open where it has none. */
export const placeOf = (node: Node): Place => (node.held ? node.file : pathOf(node));

export function pathIn(parent: Node, name: string): string {
  const path = pathOf(parent);
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

const isSame = (known: Name | undefined, { parent, name }: Name) => known?.name === name && known.parent === parent;

/** Unless it has it. */
export function giveName(node: Node, name: Name): void {
  if (isSame(node.name, name) || node.others.some((other) => isSame(other, name))) return;
  if (node.name === undefined) node.name = name;
  else node.others = [...node.others, name];
}

/** True when no name of it is left that is known. */
export function dropName(node: Node, name: Name): boolean {
  const all = node.name === undefined ? [] : [node.name, ...node.others];
  const [first, ...others] = all.filter((known) => !isSame(known, name));
  node.name = first;
  node.others = others;
  return first === undefined;
}
