/** Offsets in a file system. Source: Linux, Documentation/filesystems/ext4/{super,group_descr,inodes}.rst */
const SUPERBLOCK = 1024;
const AT = {
  blockSize: SUPERBLOCK + 0x18,
  magic: SUPERBLOCK + 0x38,
  inodeSize: SUPERBLOCK + 0x58,
  incompatible: SUPERBLOCK + 0x60,
  readOnly: SUPERBLOCK + 0x64,
  uuid: SUPERBLOCK + 0x68,
  seed: SUPERBLOCK + 0x270,
} as const;
const MAGIC = 0xef53;
const GROUP_INODE_TABLE = 0x8;
const INODE = {
  mode: 0x0,
  uidLow: 0x2,
  gidLow: 0x18,
  generation: 0x64,
  uidHigh: 0x78,
  gidHigh: 0x7a,
  checksumLow: 0x7c,
  extraSize: 0x80,
  checksumHigh: 0x82,
} as const;
const HAS_SEED = 0x2000;
const HAS_CHECKSUMS = 0x400;
const DIRECTORY = 0x4;
/** The first that is a user's; 11 is `lost+found`. */
const FIRST_INODE = 12;

/** Of files of a file system, what is needed to give them to somebody. */
export type OwnedFiles = {
  /** Where each inode is in the bytes, by its number. */
  readonly inodes: ReadonlyMap<number, number>;
  readonly inodeBytes: number;
  /** What checksums of inodes begin with; undefined: there are none. */
  readonly seed: number | undefined;
};

/**
 * Finds the directories that mke2fs made in an ext4, which are `count`. `bytes` hold its beginning, and `placeOf` says where in
 * them something of the file system is. Undefined where it is another file system, or has something else in it.
 */
export function ownedFiles(
  bytes: Buffer,
  placeOf: (at: number) => number | undefined,
  count: number,
): OwnedFiles | undefined {
  if (bytes.readUInt16LE(AT.magic) !== MAGIC) return undefined;
  const blockBytes = 1024 << bytes.readUInt32LE(AT.blockSize);
  const inodeBytes = bytes.readUInt16LE(AT.inodeSize);
  const groups = placeOf(Math.max(blockBytes, 2 * SUPERBLOCK));
  if (groups === undefined) return undefined;
  const table = bytes.readUInt32LE(groups + GROUP_INODE_TABLE) * blockBytes;
  const inodes = new Map<number, number>();
  for (let number = FIRST_INODE; number < FIRST_INODE + count; number += 1) {
    const place = placeOf(table + (number - 1) * inodeBytes);
    if (place === undefined || bytes.readUInt16LE(place + INODE.mode) >> 12 !== DIRECTORY) return undefined;
    inodes.set(number, place);
  }
  return { inodes, inodeBytes, seed: seedIn(bytes) };
}

function seedIn(bytes: Buffer): number | undefined {
  if ((bytes.readUInt32LE(AT.readOnly) & HAS_CHECKSUMS) === 0) return undefined;
  if ((bytes.readUInt32LE(AT.incompatible) & HAS_SEED) !== 0) return bytes.readUInt32LE(AT.seed);
  return crc32c(0xffff_ffff, bytes.subarray(AT.uuid, AT.uuid + 16));
}

/** Gives the files to a user and the group of the same number, in the file system's own bytes. */
export function giveFiles(bytes: Buffer, { inodes, inodeBytes, seed }: OwnedFiles, owner: number): void {
  for (const [number, at] of inodes) {
    const inode = bytes.subarray(at, at + inodeBytes);
    for (const [low, high] of [
      [INODE.uidLow, INODE.uidHigh],
      [INODE.gidLow, INODE.gidHigh],
    ] as const) {
      inode.writeUInt16LE(owner & 0xffff, low);
      inode.writeUInt16LE(owner >>> 16, high);
    }
    if (seed !== undefined) sign(inode, number, seed);
  }
}

/** Source: Linux, fs/ext4/inode.c, `ext4_inode_csum` */
function sign(inode: Buffer, number: number, seed: number): void {
  const hasHigh = inode.length > 128 && inode.readUInt16LE(INODE.extraSize) >= 4;
  const numberBytes = Buffer.alloc(4);
  numberBytes.writeUInt32LE(number);
  inode.writeUInt16LE(0, INODE.checksumLow);
  if (hasHigh) inode.writeUInt16LE(0, INODE.checksumHigh);
  const generation = inode.subarray(INODE.generation, INODE.generation + 4);
  const checksum = [numberBytes, generation, inode].reduce(crc32c, seed);
  inode.writeUInt16LE(checksum & 0xffff, INODE.checksumLow);
  if (hasHigh) inode.writeUInt16LE(checksum >>> 16, INODE.checksumHigh);
}

/** The polynomial of Castagnoli, bits reversed. Source: RFC 3720, appendix B.4 */
const CASTAGNOLI = 0x82f6_3b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = (rest & 1) === 1 ? (rest >>> 1) ^ CASTAGNOLI : rest >>> 1;
  return rest >>> 0;
});

/** Goes on with a checksum, which is inverted neither before nor after. */
function crc32c(checksum: number, bytes: Uint8Array): number {
  let sum = checksum;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return sum >>> 0;
}
