import * as z from "zod/mini";

/** A volume of the daemon, by name. It becomes part of a path. */
const Volume = z.string().check(z.regex(/^[a-z0-9][A-Za-z0-9_-]{0,200}$/));
const Natural = z.int().check(z.nonnegative());

/** A new file system as what in its file is not zero: `extents` are where and how many bytes, `data` their content. */
export const DiskImage = z.strictObject({
  bytes: Natural,
  extents: z.array(z.tuple([Natural, Natural])),
  /** All extents, one after the other, compressed with zstd; base64. */
  data: z.string(),
});
export type DiskImage = z.infer<typeof DiskImage>;

/** A user and a group of the daemon's machine. */
export const DiskOwner = z.strictObject({ uid: Natural, gid: Natural });
export type DiskOwner = z.infer<typeof DiskOwner>;

/** What a sandbox has in its /etc in place of the image's: texts that name its user. */
export const UserNames = z.strictObject({ passwd: z.string(), group: z.string() });
export type UserNames = z.infer<typeof UserNames>;

/**
 * What a server asks of `sandboxd disks`, one JSON value a line. `mount`: the disk beside that volume's files is mounted
 * beside them, after it was made anew from `image`, if that is wished, with directories of `owner` in it. `release`: it is
 * mounted there no more. What is asked twice is done once. `names` are written beside it.
 */
export const DiskRequest = z.discriminatedUnion("type", [
  z.strictObject({
    id: Natural,
    type: z.literal("mount"),
    volume: Volume,
    anew: z.optional(z.strictObject({ image: DiskImage, owner: DiskOwner })),
    names: z.optional(UserNames),
  }),
  /** `forget`: the disk's file goes too. */
  z.strictObject({ id: Natural, type: z.literal("release"), volumes: z.array(Volume), forget: z.boolean() }),
]);
export type DiskRequest = z.infer<typeof DiskRequest>;

/** What of a request says which one it is, whatever else is in it. */
export const NumberedRequest = z.object({ id: Natural });

/**
 * One line for each line, when it is done. Without `code` it went well; `sandboxd_mismatch`: it was not understood, and
 * nothing was done. The id is 0 where none could be read.
 */
export const DiskAnswer = z.object({
  id: Natural,
  code: z.optional(z.enum(["disk_full", "sandbox_failed", "sandboxd_mismatch"])),
  message: z.optional(z.string()),
});
export type DiskAnswer = z.infer<typeof DiskAnswer>;

/** What is in the directory of a volume, beside `_data`, which alone is ever mounted into a sandbox. */
export const DISK_FILE = "disk.img";
export const DISK_MOUNT = "disk";
/** The files of one that a keeper serves. */
export const DISK_FILES = "files";
/** The directory with a sandbox's `UserNames`, whose files alone are mounted into it. */
export const DISK_NAMES = "names";

/** What a keeper says once its files are mounted, and once they are not any more, each in a line of its own. */
export const KEEPER_READY = "ready";
export const KEEPER_RELEASED = "released";
