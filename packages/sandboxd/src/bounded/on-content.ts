import { STAT } from "./file-calls.ts";
import { ANSWER, ERROR, HEADER, PAGE } from "./fuse-abi.ts";
import type { Address } from "./file-calls.ts";
import type { Node } from "./nodes.ts";
import { number64, setNumber64 } from "./number64.ts";
import {
  answerAddress,
  answerNumber,
  argument,
  argument64,
  clearAnswer,
  type Operation,
  type Served,
} from "./request.ts";

/** struct fuse_read_in and struct fuse_write_in: handle, offset, size; what is written follows the latter. */
const AT = { offset: 8, size: 16, data: 40 } as const;
/** struct fuse_fallocate_in. */
const ALLOCATE = { offset: 8, size: 16, mode: 24 } as const;
/** From linux/falloc.h: what it gives up takes no space. */
const PUNCH_HOLE = 2;
/** From linux/fs.h. */
const SEEK_HOLE = 4;
/** From linux/fuse.h, FUSE_FSYNC_FDATASYNC. */
const DATA_ONLY = 1;
/** While so much is left it need not be known whether a write takes more. */
const MUCH = 64 * 1024 ** 2;
/** struct fuse_kstatfs. */
const STATFS = { blockSize: 40, nameLength: 44, fragmentSize: 48, size: 80 } as const;
const NAME_LENGTH = 255;

export const read: Operation = (served, node) => {
  const file = served.files.open(node);
  if (file < 0) return file;
  return served.calls.readAt(file, answerAddress(served), argument(served, AT.size), argument64(served, AT.offset));
};

export const write: Operation = (served, node) => {
  const { calls, files, input } = served;
  const [offset, size] = [argument64(served, AT.offset), argument(served, AT.size)];
  const file = files.open(node);
  if (file < 0) return file;
  // It may begin and end within a block.
  const { block } = served.space;
  const most = (Math.ceil(size / block) + 1) * block;
  if (!isThere(served, node, { offset, end: offset + size }) && !files.grow(node, most)) return -ERROR.ENOSPC;
  const data = (input.address + HEADER.size + AT.data) as Address;
  const written = calls.writeAt(file, data, size, offset);
  return written < 0 ? written : answerNumber(served, written);
};

/** Whether a file has all of that already, so that writing it takes no more space. */
function isThere(served: Served, node: Node, { offset, end }: { offset: number; end: number }): boolean {
  const { files, calls, space } = served;
  if (space.left > MUCH || files.look(node) < 0) return false;
  const isWhole = node.bytes >= number64(calls.stat, STAT.size);
  // What is set aside behind a file's end must not pay for its holes.
  return isWhole && calls.seek(files.open(node), BigInt(offset), SEEK_HOLE) >= end;
}

export const allocate: Operation = (served, node) => {
  const { files, calls } = served;
  const [size, mode] = [argument64(served, ALLOCATE.size), argument(served, ALLOCATE.mode)];
  const file = files.open(node);
  if (file < 0) return file;
  if ((mode & PUNCH_HOLE) === 0 && !files.grow(node, size + PAGE)) return -ERROR.ENOSPC;
  const error = calls.allocate(file, mode, argument64(served, ALLOCATE.offset), size);
  files.look(node);
  return error;
};

/** struct fuse_lseek_in has the same fields as one that reads. */
export const seek: Operation = (served, node) => {
  const file = served.files.open(node);
  if (file < 0) return file;
  const found = served.calls.seek(file, BigInt(argument64(served, AT.offset)), argument(served, AT.size));
  return found < 0 ? found : answerNumber(served, found);
};

/** struct fuse_fsync_in: handle, flags. */
export const sync: Operation = (served, node) => {
  const file = served.files.open(node);
  return file < 0 ? file : served.calls.sync(file, (argument(served, 8) & DATA_ONLY) !== 0);
};

export const statFileSystem: Operation = (served) => {
  const { output, space, files } = served;
  files.settle();
  clearAnswer(served, STATFS.size);
  const free = Math.floor(space.left / PAGE);
  const numbers = [Math.floor(space.limit / PAGE), free, free, space.mostNames, space.namesLeft];
  for (const [index, value] of numbers.entries()) setNumber64(output.view, ANSWER.size + index * 8, value);
  output.view.setUint32(ANSWER.size + STATFS.blockSize, PAGE, true);
  output.view.setUint32(ANSWER.size + STATFS.nameLength, NAME_LENGTH, true);
  output.view.setUint32(ANSWER.size + STATFS.fragmentSize, PAGE, true);
  return STATFS.size;
};
