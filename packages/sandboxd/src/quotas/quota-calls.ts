import { chownSync } from "node:fs";
import { requireCLibrary } from "../c-library.ts";

/** What it takes of the system to learn what users may store. */
export type QuotaCalls = {
  /** Makes a file that user's. It counts as theirs from then on, and with it the limit that is everybody's. */
  give(path: string, user: number): void;
  /** Whether users of the file system that an open file is on are kept to their limits. */
  enforced(file: number): boolean;
  /** The limits of a user there, as the kernel tells that user; undefined: it tells of none. */
  limit(file: number, user: number): { readonly bytes: number; readonly files: number } | undefined;
};

/** From sys/quota.h and linux/dqblk_xfs.h: the command in the upper bits, and in the lowest that it is about users. */
const Q_GETQUOTA = 0x8000_0700;
const Q_XGETQSTAT = 0x0058_0500;
/** struct fs_quota_stat: its flags at 2, of which this one says that users are kept to their limits. */
const QSTAT_BYTES = 128;
const QSTAT_FLAGS = 2;
const USERS_ENFORCED = 2;
/** struct if_dqblk: the hard limits, of blocks at 0 and of files at 24. */
const DQBLK_BYTES = 128;
const DQBLK_FILES = 24;
const BLOCK_BYTES = 1024n;
/** By number: C libraries have no function for the one, and that for the other asks all threads. Linux 5.14. */
const QUOTACTL_FD = 443;
const SETRESUID = process.arch === "arm64" ? 147 : 117;
const UNCHANGED = -1;
const ROOT = 0;

const SYMBOLS = { syscall: { args: ["i64", "i64", "i64", "i64", "ptr"], returns: "i64" } } as const;

/** @throws when the C library cannot be called */
export async function openQuotaCalls(): Promise<QuotaCalls> {
  const library = await requireCLibrary(SYMBOLS);
  const ask = (file: number, command: number, user: number, answer: Buffer) =>
    wentWell(library.syscall(QUOTACTL_FD, file, command, user, answer));
  /** The user that this thread's calls are made as. */
  const become = (user: number) => {
    if (!wentWell(library.syscall(SETRESUID, UNCHANGED, user, UNCHANGED, null)))
      throw new Error("Another user is refused.");
  };
  return {
    give: (path, user) => chownSync(path, user, user),
    enforced(file) {
      const answer = Buffer.alloc(QSTAT_BYTES);
      return ask(file, Q_XGETQSTAT, ROOT, answer) && (answer.readUInt16LE(QSTAT_FLAGS) & USERS_ENFORCED) !== 0;
    },
    limit(file, user) {
      const answer = Buffer.alloc(DQBLK_BYTES);
      become(user);
      try {
        if (!ask(file, Q_GETQUOTA, user, answer)) return undefined;
      } finally {
        become(ROOT);
      }
      return {
        bytes: Number(answer.readBigUInt64LE(0) * BLOCK_BYTES),
        files: Number(answer.readBigUInt64LE(DQBLK_FILES)),
      };
    },
  };
}

/** 64 bits come as a number or a bigint. */
function wentWell(result: number | bigint): boolean {
  return Number(result) === 0;
}
