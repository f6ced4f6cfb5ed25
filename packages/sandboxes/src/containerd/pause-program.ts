/** Processors that the program is written for, with the machine number of ELF. */
const MACHINES = { x64: 62, arm64: 183 } as const;

const LOAD_ADDRESS = 0x400000;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const CODE_OFFSET = HEADER_BYTES + SEGMENT_BYTES;

/**
 * A program of some 200 bytes that holds a pod's namespaces: as process 1 it sleeps for ever, and since it ignores
 * SIGCHLD the kernel takes away the processes whose parents have gone. It is put together here because there may be no
 * compiler and no registry, and is the whole of the pause image.
 * Source: elf(5), "System V ABI"; signal handling: sigaction(2), "SIG_IGN for SIGCHLD"
 */
export function pauseProgram(arch: keyof typeof MACHINES): Buffer {
  const code = arch === "x64" ? codeForX64() : codeForArm64();
  const size = CODE_OFFSET + code.length;
  return Buffer.concat([fileHeader(MACHINES[arch]), segmentHeader(size), code]);
}

function fileHeader(machine: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  // Magic, 64 bits, little-endian, version 1.
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS + CODE_OFFSET), 24); // entry
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32); // where the segments are described
  header.writeUInt16LE(HEADER_BYTES, 52);
  header.writeUInt16LE(SEGMENT_BYTES, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

/** The whole file as one segment that can be read and run. */
function segmentHeader(size: number): Buffer {
  const header = Buffer.alloc(SEGMENT_BYTES);
  header.writeUInt32LE(1, 0); // to be loaded
  header.writeUInt32LE(5, 4); // read, execute
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  header.writeBigUInt64LE(BigInt(size), 40);
  header.writeBigUInt64LE(0x1000n, 48); // alignment
  return header;
}

/** `struct sigaction` of the kernel with the handler SIG_IGN. */
function ignore(): Buffer {
  const action = Buffer.alloc(32);
  action.writeBigUInt64LE(1n);
  return action;
}

/** rt_sigaction(SIGCHLD, ignore, 0, 8); for (;;) pause(); */
function codeForX64(): Buffer {
  const bytes = [
    [0xb8, 13, 0, 0, 0], // mov eax, rt_sigaction
    [0xbf, 17, 0, 0, 0], // mov edi, SIGCHLD
    [0xbe, 0, 0, 0, 0], // mov esi, the action: its address is filled in below
    [0x31, 0xd2], // xor edx, edx
    [0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8
    [0x0f, 0x05], // syscall
    [0xb8, 34, 0, 0, 0], // mov eax, pause
    [0x0f, 0x05], // syscall
    [0xeb, 0xf7], // back to "mov eax, pause"
  ].flat();
  const code = Buffer.from(bytes);
  code.writeUInt32LE(LOAD_ADDRESS + CODE_OFFSET + code.length, 11);
  return Buffer.concat([code, ignore()]);
}

/** rt_sigaction(SIGCHLD, ignore, 0, 8); for (;;) ppoll(0, 0, 0, 0, 0); */
function codeForArm64(): Buffer {
  const words = [
    0xd28010c8, // mov x8, rt_sigaction
    0xd2800220, // mov x0, SIGCHLD
    0x10000181, // adr x1, the action, 48 bytes on
    0xd2800002, // mov x2, 0
    0xd2800103, // mov x3, 8
    0xd4000001, // svc 0
    0xd2800000, // mov x0, 0
    0xd2800001, // mov x1, 0
    0xd2800002, // mov x2, 0
    0xd2800003, // mov x3, 0
    0xd2800004, // mov x4, 0
    0xd2800928, // mov x8, ppoll
    0xd4000001, // svc 0
    0x17fffff9, // back to "mov x0, 0"
  ];
  const code = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => code.writeUInt32LE(word, index * 4));
  return Buffer.concat([code, ignore()]);
}
