import { isOther, namesIn } from "./directory-names.ts";
import { ANSWER, DIRENT, ENTRY, HEADER } from "./fuse-abi.ts";
import { type Node, pathIn } from "./nodes.ts";
import { copyWords } from "./number64.ts";
import { answerEntry, argument, type Operation, type Served } from "./request.ts";

/** struct fuse_read_in: handle, offset, size. */
const AT = { offset: 8, size: 16 } as const;

export const readDirectory: Operation = (served, node) => list(served, node, false);
/** With what is known of each file. */
export const readDirectoryPlus: Operation = (served, node) => list(served, node, true);

/** As many of the names from an offset on as the kernel has room for. Offsets are the system's, which may take 64 bits. */
function list(served: Served, node: Node, plus: boolean): number {
  const { calls, files, names, input } = served;
  const file = files.open(node);
  if (file < 0) return file;
  const room = argument(served, AT.size);
  const sought = calls.seek(file, input.view.getBigInt64(HEADER.size + AT.offset, true));
  const given = sought < 0 ? sought : calls.names(file, names.address, room);
  if (given < 0) return given;
  let filled = 0;
  for (const named of namesIn(names, given)) {
    const size = (plus ? ENTRY.size : 0) + ((DIRENT.name + named.name.length + 7) & ~7);
    if (filled + size > room) break;
    let to = ANSWER.size + filled;
    if (plus) to += answerFile(served, { parent: node, name: named.name }, to);
    writeName(served, named, to);
    filled += size;
  }
  return filled;
}

function writeName({ names, output }: Served, named: { name: string; type: number; at: number }, to: number): void {
  copyWords([names.view, named.at], [output.view, to + DIRENT.inode], 16);
  output.view.setUint32(to + DIRENT.nameLength, named.name.length, true);
  output.view.setUint32(to + DIRENT.type, named.type, true);
  output.bytes.write(named.name, to + DIRENT.name, "latin1");
}

/** Of the directory itself and the one above the kernel wants to hear nothing. */
function answerFile(served: Served, { parent, name }: { parent: Node; name: string }, to: number): number {
  const { calls, files, output } = served;
  if (isOther(name) && calls.look(pathIn(parent, name)) === 0) {
    return answerEntry(served, files.enter(parent, name, false), to);
  }
  output.bytes.fill(0, to, to + ENTRY.size);
  return ENTRY.size;
}
