/**
 * One step of a program for the kernel's packet filter, as seccomp runs it on a system call. Jumps go forward to a
 * label; a test that names no label for an outcome goes on with the next step.
 */
export type BpfStep =
  | { readonly do: "load"; readonly offset: number }
  | { readonly do: "and"; readonly value: number }
  | {
      readonly do: "test";
      readonly is: keyof typeof TESTS;
      readonly value: number;
      readonly yes?: string;
      readonly no?: string;
    }
  | { readonly do: "return"; readonly value: number }
  | { readonly do: "label"; readonly name: string };

// Source: linux/bpf_common.h
const LOAD_WORD = 0x20;
const AND = 0x54;
const RETURN = 0x06;
const TESTS = { equal: 0x15, above: 0x25, atLeast: 0x35 } as const;

const INSTRUCTION_BYTES = 8;
const FARTHEST = 255;

type Instruction = Exclude<BpfStep, { readonly do: "label" }>;

/**
 * The program as an array of `struct sock_filter` in the byte order of x86-64 and aarch64, as bwrap and the kernel take
 * it. Source: linux/filter.h
 * @throws Error for a label that is missing, behind its jump, or more than 255 steps away
 */
export function assemble(steps: readonly BpfStep[]): Buffer {
  const places = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const step of steps) {
    if (step.do === "label") places.set(step.name, instructions.length);
    else instructions.push(step);
  }
  const distance = (label: string | undefined, from: number): number => {
    if (label === undefined) return 0;
    const far = (places.get(label) ?? -1) - from - 1;
    if (far < 0 || far > FARTHEST) throw new Error(`The filter cannot jump to ${label}.`);
    return far;
  };
  const bytes = Buffer.alloc(instructions.length * INSTRUCTION_BYTES);
  instructions.forEach((step, index) => {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(codeOf(step), at);
    if (step.do === "test") {
      bytes.writeUInt8(distance(step.yes, index), at + 2);
      bytes.writeUInt8(distance(step.no, index), at + 3);
    }
    bytes.writeUInt32LE(step.do === "load" ? step.offset : step.value, at + 4);
  });
  return bytes;
}

function codeOf(step: Instruction): number {
  switch (step.do) {
    case "load":
      return LOAD_WORD;
    case "and":
      return AND;
    case "return":
      return RETURN;
    case "test":
      return TESTS[step.is];
  }
}
