import type { Address, FileCalls } from "./file-calls.ts";
import { STAT } from "./file-calls.ts";
import type { Files } from "./files.ts";
import { ANSWER, ATTRIBUTES, ENTRY, FOR_EVER, HEADER, MAX_WRITE, PAGE } from "./fuse-abi.ts";
import type { Node } from "./nodes.ts";
import { copyWords, number64, setNumber64 } from "./number64.ts";
import type { Space } from "./space.ts";

/** What requests are about, and memory that is used again for each: the request, its answer, and names of a directory. */
export type Served = {
  readonly calls: FileCalls;
  readonly files: Files;
  readonly space: Space;
  readonly input: Memory;
  readonly output: Memory;
  readonly names: Memory;
};

export type Memory = { readonly bytes: Buffer; readonly view: DataView; readonly address: Address };

export function newMemory({ address }: Pick<FileCalls, "address">): Memory {
  const bytes = Buffer.from(new ArrayBuffer(MAX_WRITE + PAGE));
  return { bytes, view: new DataView(bytes.buffer), address: address(bytes) };
}

/** Does what is asked about a file, and gives how many bytes it wrote behind the answer's header; below zero: an error. */
export type Operation = (served: Served, node: Node) => number;

/** A number that is so many bytes behind the request's header. */
export const argument = (served: Served, at: number): number => served.input.view.getUint32(HEADER.size + at, true);
export const argument64 = (served: Served, at: number): number => number64(served.input.view, HEADER.size + at);

/** The text that starts there, up to its zero. Bytes are characters. */
export function textArgument({ input }: Served, at: number): string {
  const from = HEADER.size + at;
  return input.bytes.toString("latin1", from, input.bytes.indexOf(0, from));
}

/** Where an answer goes, so many bytes behind its header. */
export const answerAddress = ({ output }: Served): Address => (output.address + ANSWER.size) as Address;

/** Clears so many bytes of the answer. */
export function clearAnswer({ output }: Served, bytes: number): void {
  output.bytes.fill(0, ANSWER.size, ANSWER.size + bytes);
}

/** Answers with a number alone. */
export function answerNumber({ output }: Served, value: number): number {
  setNumber64(output.view, ANSWER.size, value);
  return 8;
}

/** Answers with a file that was looked at just now; `at`: where in the answer. */
export function answerEntry({ output, calls }: Served, node: Node, at: number = ANSWER.size): number {
  output.bytes.fill(0, at, at + ENTRY.attributes);
  setNumber64(output.view, at + ENTRY.node, node.id);
  setNumber64(output.view, at + ENTRY.nodeSeconds, FOR_EVER);
  setNumber64(output.view, at + ENTRY.attributeSeconds, FOR_EVER);
  writeAttributes(calls.stat, output.view, at + ENTRY.attributes);
  return ENTRY.size;
}

/** Answers with what was looked at just now. */
export function answerAttributes(served: Served): number {
  const { output, calls } = served;
  clearAnswer(served, ATTRIBUTES.attributes);
  setNumber64(output.view, ANSWER.size + ATTRIBUTES.seconds, FOR_EVER);
  writeAttributes(calls.stat, output.view, ANSWER.size + ATTRIBUTES.attributes);
  return ATTRIBUTES.size;
}

/** Fields of struct fuse_attr. Its first three, inode, size and blocks, lie beside each other in both. */
const FIELD = { first: 0, mode: 60, links: 64, device: 76, blockSize: 80, flags: 84 } as const;
/** Seconds and nanoseconds there, and where statx has both. */
const TIMES = [
  [24, 48, STAT.accessed],
  [32, 52, STAT.modified],
  [40, 56, STAT.changed],
] as const;

function writeAttributes(stat: DataView, to: DataView, at: number): void {
  copyWords([stat, STAT.inode], [to, at + FIELD.first], 24);
  for (const [seconds, nanoseconds, from] of TIMES) {
    copyWords([stat, from], [to, at + seconds], 8);
    copyWords([stat, from + 8], [to, at + nanoseconds], 4);
  }
  to.setUint32(at + FIELD.mode, stat.getUint16(STAT.mode, true), true);
  // User and group, too.
  copyWords([stat, STAT.links], [to, at + FIELD.links], 12);
  const [major, minor] = [stat.getUint32(STAT.deviceMajor, true), stat.getUint32(STAT.deviceMinor, true)];
  to.setUint32(at + FIELD.device, (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12), true);
  to.setUint32(at + FIELD.blockSize, PAGE, true);
  to.setUint32(at + FIELD.flags, 0, true);
}
