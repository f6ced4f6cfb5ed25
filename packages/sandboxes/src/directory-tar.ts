const BLOCK_BYTES = 512;

/**
 * A tar archive of empty directories, mode 0755, that belong to one numeric user and group.
 * Source: POSIX.1-1988 ustar header, https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export function directoryTar(names: readonly string[], owner: number): Buffer {
  return Buffer.concat([directoryHeaders(names, owner), Buffer.alloc(2 * BLOCK_BYTES)]);
}

/** The same without the archive's end, to go before another archive: the two are then one. */
export function directoryHeaders(names: readonly string[], owner: number): Buffer {
  return Buffer.concat(names.map((name) => directoryHeader(`${name}/`, owner)));
}

function directoryHeader(name: string, owner: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 100);
  block.write("0000755\0", 100);
  writeId(block, owner, 108);
  writeId(block, owner, 116);
  block.write("00000000000\0", 124);
  block.write("00000000000\0", 136);
  // The checksum counts its own field as spaces.
  block.write("        ", 148);
  block.write("5", 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
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
