import { ANSWER, ERROR, FUSE_MAJOR, FUSE_MINOR, HEADER, MAX_WRITE } from "./fuse-abi.ts";
import { NEEDED_FLAGS, OPERATION, PAGE, WANTED_FLAGS } from "./fuse-abi.ts";
import { ROOT_ID } from "./nodes.ts";
import { number64 } from "./number64.ts";
import { getAttributes, readLink, setAttributes } from "./on-attributes.ts";
import { allocate, read, seek, statFileSystem, sync, write } from "./on-content.ts";
import { readDirectory, readDirectoryPlus } from "./on-directories.ts";
import * as onNames from "./on-names.ts";
import { argument, argument64, clearAnswer, type Operation, type Served } from "./request.ts";

/** What can be asked of a file that has no name any more, too. */
const ON_FILES: ReadonlyMap<number, Operation> = new Map([
  [OPERATION.getattr, getAttributes],
  [OPERATION.setattr, setAttributes],
  [OPERATION.readlink, readLink],
  [OPERATION.read, read],
  [OPERATION.write, write],
  [OPERATION.statfs, statFileSystem],
  [OPERATION.fsync, sync],
  [OPERATION.fsyncdir, sync],
  [OPERATION.readdir, readDirectory],
  [OPERATION.readdirplus, readDirectoryPlus],
  [OPERATION.fallocate, allocate],
  [OPERATION.lseek, seek],
]);
/** What is about names in a directory. */
const ON_NAMES: ReadonlyMap<number, Operation> = new Map([
  [OPERATION.lookup, onNames.lookup],
  [OPERATION.symlink, onNames.makeLink],
  [OPERATION.mknod, onNames.makeNode],
  [OPERATION.mkdir, onNames.makeDirectory],
  [OPERATION.unlink, onNames.removeFile],
  [OPERATION.rmdir, onNames.removeDirectory],
  [OPERATION.rename, onNames.rename],
  [OPERATION.rename2, onNames.renameWith],
  [OPERATION.link, onNames.link],
]);
/** Which nobody waits for. What is under way is over before it could be interrupted. */
const UNANSWERED: ReadonlySet<number> = new Set([OPERATION.forget, OPERATION.batchForget, OPERATION.interrupt]);
/** A request that was taken back before it was read, and the like. */
const AGAIN: ReadonlySet<number> = new Set([-ERROR.ENOENT, -ERROR.EINTR, -ERROR.EAGAIN]);
/** struct fuse_init_in and struct fuse_init_out. */
const INIT = { major: 0, readahead: 8, flags: 12, size: 64 } as const;

/**
 * What the kernel has forgotten it tells in turns with requests, after eight of them at the latest. Source: linux/fs/fuse/dev.c,
 * fuse_dev_do_read
 */
const OTHERS_FIRST = 32;

/**
 * Answers one request of the kernel, once there is one. False: nobody has the file system mounted any more. `mayWait`: what
 * finds no room may be answered after others that are there already.
 * @throws Error when the device cannot be read
 */
export function answerRequest(served: Served, device: number, mayWait = true): boolean {
  const { calls, input, output } = served;
  const size = calls.read(device, input.address, MAX_WRITE + PAGE);
  if (size === -ERROR.ENODEV) return false;
  if (AGAIN.has(size)) return true;
  if (size < 0) throw new Error(`Reading requests failed with error ${-size} of the system.`);
  const operation = input.view.getUint32(HEADER.operation, true);
  if (UNANSWERED.has(operation)) {
    forget(served, operation);
    return true;
  }
  let result = answer(served, operation);
  if (result === -ERROR.ENOSPC && mayWait && served.files.areLeaving) {
    const request = Buffer.from(input.bytes.subarray(0, size));
    if (!answerOthers(served, device)) return false;
    input.bytes.set(request);
    result = answer(served, operation);
  }
  output.view.setUint32(ANSWER.length, ANSWER.size + Math.max(0, result), true);
  output.view.setInt32(ANSWER.error, Math.min(0, result), true);
  output.bytes.set(input.bytes.subarray(HEADER.unique, HEADER.unique + 8), ANSWER.unique);
  // One that is not taken was taken back by who asked.
  calls.write(device, output.address, ANSWER.size + Math.max(0, result));
  return true;
}

/** A file that was removed just before gives its space back only when the kernel has told that it has forgotten it. */
function answerOthers(served: Served, device: number): boolean {
  for (let others = 0; others < OTHERS_FIRST && served.files.areLeaving && served.calls.hasMore(device); others++) {
    if (!answerRequest(served, device, false)) return false;
  }
  return true;
}

function answer(served: Served, operation: number): number {
  if (operation === OPERATION.init) return init(served);
  const onNames = ON_NAMES.get(operation);
  const serve = onNames ?? ON_FILES.get(operation);
  if (serve === undefined) return -ERROR.ENOSYS;
  const node = served.files.nodes.byId(number64(served.input.view, HEADER.node) || ROOT_ID);
  if (node === undefined) return -ERROR.ESTALE;
  return onNames !== undefined && node.held ? -ERROR.ENOENT : serve(served, node);
}

function forget(served: Served, operation: number): void {
  const { files, input } = served;
  if (operation === OPERATION.forget) files.forget(number64(input.view, HEADER.node), argument64(served, 0));
  if (operation !== OPERATION.batchForget) return;
  const count = argument(served, 0);
  for (let index = 0; index < count; index++) {
    files.forget(argument64(served, 8 + index * 16), argument64(served, 16 + index * 16));
  }
}

function init(served: Served): number {
  const flags = argument(served, INIT.flags);
  const isKnown = argument(served, INIT.major) === FUSE_MAJOR && (flags & NEEDED_FLAGS) === NEEDED_FLAGS;
  if (!isKnown) return -ERROR.EOPNOTSUPP;
  clearAnswer(served, INIT.size);
  const readahead = argument(served, INIT.readahead);
  const granularity = 1;
  // The fifth word is how much may wait in the background: the kernel's own choice.
  const words = [FUSE_MAJOR, FUSE_MINOR, readahead, flags & WANTED_FLAGS, 0, MAX_WRITE, granularity, MAX_WRITE / PAGE];
  for (const [index, word] of words.entries()) served.output.view.setUint32(ANSWER.size + index * 4, word, true);
  return INIT.size;
}
