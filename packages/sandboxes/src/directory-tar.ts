const BLOCK_BYTES = 512;

/** What ends an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

/**
 * A tar archive of empty directories, mode 0755, that belong to one numeric user and group.
 * Source: POSIX.1-1988 ustar header, https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export function directoryTar(names: readonly string[], owner: number): Buffer {
  return Buffer.concat([directoryHeaders(names, owner), TAR_END]);
}

/** The same without the archive's end, to go before another archive: the two are then one. */
export function directoryHeaders(names: readonly string[], owner: number): Buffer {
  return Buffer.concat(
    names.map((name) => tarHeader({ name: `${name}/`, type: "directory", bytes: 0, mode: 0o755, owner })),
  );
}

/** A file with this text, mode 0644. */
export function textEntry(name: string, text: string, owner: number): Buffer {
  const content = Buffer.from(text);
  const header = tarHeader({ name, type: "file", bytes: content.length, mode: 0o644, owner });
  return Buffer.concat([header, content, tarPadding(content.length)]);
}

export type TarEntry = {
  /** At most 99 bytes. */
  readonly name: string;
  readonly type: "file" | "directory";
  /** Of the content, which follows the header and is filled up with `tarPadding`. At most 8 GiB. */
  readonly bytes: number;
  readonly mode: number;
  /** Numeric user and group. Default 0. */
  readonly owner?: number;
};

/** The block before an entry's content. */
export function tarHeader({ name, type, bytes, mode, owner = 0 }: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(name, 0, 100);
  block.write(octal(mode, 7), 100);
  writeId(block, owner, 108);
  writeId(block, owner, 116);
  block.write(octal(bytes, 11), 124);
  block.write(octal(0, 11), 136);
  // The checksum counts its own field as spaces.
  block.write("        ", 148);
  block.write(type === "directory" ? "5" : "0", 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** What fills the last block of a content. */
export function tarPadding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

const MOST_OCTAL = 0o7_777_777;

/** What does not fit into seven octal digits is written in base 256, with the top bit set, as GNU tar does. */
function writeId(block: Buffer, id: number, at: number): void {
  if (id <= MOST_OCTAL) block.write(`${id.toString(8).padStart(7, "0")}\0`, at);
  else {
    block.writeUInt8(0x80, at);
    block.writeUInt32BE(id, at + 4);
  }
}
