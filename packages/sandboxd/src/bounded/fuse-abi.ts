/** Of the kernel's protocol for file systems that a process serves. Source: linux/fuse.h, version 7.31 */
export const FUSE_MAJOR = 7;
export const FUSE_MINOR = 31;

export const OPERATION = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  read: 15,
  write: 16,
  statfs: 17,
  fsync: 20,
  init: 26,
  readdir: 28,
  fsyncdir: 30,
  interrupt: 36,
  batchForget: 42,
  fallocate: 43,
  readdirplus: 44,
  rename2: 45,
  lseek: 46,
} as const;

/** struct fuse_in_header, in bytes. What an operation takes follows it. */
export const HEADER = { length: 0, operation: 4, unique: 8, node: 16, uid: 24, gid: 28, size: 40 } as const;
/** struct fuse_out_header. */
export const ANSWER = { length: 0, error: 4, unique: 8, size: 16 } as const;

/** Which of its fields a change of a file has (FATTR_). */
export const CHANGES = {
  mode: 1,
  uid: 2,
  gid: 4,
  size: 8,
  accessed: 16,
  modified: 32,
  accessedNow: 128,
  modifiedNow: 256,
} as const;

/** struct fuse_entry_out and fuse_attr_out, with how long the kernel may believe them, and struct fuse_attr in both. */
export const ENTRY = { node: 0, nodeSeconds: 16, attributeSeconds: 24, attributes: 40, size: 128 } as const;
export const ATTRIBUTES = { seconds: 0, attributes: 16, size: 104 } as const;
/** struct fuse_dirent. Its name fills up to eight bytes. */
export const DIRENT = { inode: 0, next: 8, nameLength: 16, type: 20, name: 24 } as const;

/**
 * What the kernel is asked for: large writes, directories with what is known of their files, links that it remembers, and
 * neither opening nor closing, so that files in its memory are read without us.
 */
const FLAGS = {
  asyncRead: 1 << 0,
  bigWrites: 1 << 5,
  readdirplus: 1 << 13,
  readdirplusAuto: 1 << 14,
  noOpen: 1 << 17,
  parallelDirectories: 1 << 18,
  maxPages: 1 << 22,
  cacheSymlinks: 1 << 23,
  noOpendir: 1 << 24,
} as const;
export const WANTED_FLAGS = Object.values(FLAGS).reduce((sum, flag) => sum | flag, 0);
/** Without these it would ask for files to be opened. */
export const NEEDED_FLAGS = FLAGS.noOpen | FLAGS.noOpendir;

export const MAX_WRITE = 1024 ** 2;
export const PAGE = 4096;
/** Nobody else changes the files, so what the kernel knows stays true. In seconds. */
export const FOR_EVER = 1_000_000_000;

/** Of errno.h. */
export const ERROR = {
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  EOPNOTSUPP: 95,
  ESTALE: 116,
} as const;

/** The highest bits of a file's mode. */
export const TYPE = { mask: 0o170000, directory: 0o040000, regular: 0o100000, link: 0o120000 } as const;
