import type { Memory } from "./request.ts";

/** struct linux_dirent64 of getdents64(2). The inode's number and the next offset are beside each other. */
const ENTRY = { inode: 0, length: 16, type: 18, name: 19 } as const;

/** One name of a directory, and where what is said of it begins. */
export type Named = { readonly name: string; readonly type: number; readonly at: number };

/** The names in what the system gave, one by one: bytes are characters. */
export function* namesIn({ bytes, view }: Memory, given: number): Generator<Named> {
  for (let at = 0; at < given; at += view.getUint16(at + ENTRY.length, true)) {
    const from = at + ENTRY.name;
    yield { name: bytes.toString("latin1", from, bytes.indexOf(0, from)), type: view.getUint8(at + ENTRY.type), at };
  }
}

/** A directory has itself and the one above it among its names. */
export const isOther = (name: string): boolean => name !== "." && name !== "..";
