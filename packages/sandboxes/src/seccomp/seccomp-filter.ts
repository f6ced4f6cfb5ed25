import type { BpfStep } from "./bpf-program.ts";
import { assemble } from "./bpf-program.ts";
import type { Condition, SyscallPolicy } from "./syscall-policy.ts";
import type { SyscallTable } from "./syscall-table.ts";

// Source: linux/seccomp.h
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const ERRNO = 0x0005_0000;
const EPERM = 1;
const EINVAL = 22;
const ENOSYS = 38;
const EOPNOTSUPP = 95;

/** Where the parts of `struct seccomp_data` begin. */
const AT = { number: 0, architecture: 4, arguments: 16 } as const;

/** Calls of the x32 interface, which has the same architecture as x86-64, are numbered from here on. */
const X32 = 0x4000_0000;

/**
 * The policy as a filter for the kernel. A program of another architecture (32-bit on a 64-bit machine) is killed at
 * its first call: its calls have other numbers. Calls that are newer than the table do not exist.
 */
export function seccompFilter(policy: SyscallPolicy, table: SyscallTable): Buffer {
  const newest = Math.max(...table.numbers.values());
  const numbersOf = (names: readonly string[]) =>
    names.flatMap((name) => {
      const number = table.numbers.get(name);
      return number === undefined ? [] : [number];
    });
  const conditions = policy.conditions.filter(({ call }) => table.numbers.has(call));
  const jumps = (numbers: readonly number[], to: string): BpfStep[] =>
    numbers.map((value) => ({ do: "test", is: "equal", value, yes: to }));
  return assemble([
    { do: "load", offset: AT.architecture },
    { do: "test", is: "equal", value: table.architecture, no: "foreign" },
    { do: "load", offset: AT.number },
    { do: "test", is: "atLeast", value: X32, yes: "unknown" },
    { do: "test", is: "above", value: newest, yes: "unknown" },
    ...jumps(numbersOf(policy.unknown), "unknown"),
    ...jumps(numbersOf(policy.refused), "refused"),
    ...jumps(numbersOf(policy.unsupported), "unsupported"),
    ...conditions.flatMap((condition) => jumps(numbersOf([condition.call]), condition.call)),
    { do: "return", value: ALLOW },
    ...conditions.flatMap(conditionSteps),
    { do: "label", name: "allowed" },
    { do: "return", value: ALLOW },
    { do: "label", name: "refused" },
    { do: "return", value: ERRNO | EPERM },
    { do: "label", name: "unknown" },
    { do: "return", value: ERRNO | ENOSYS },
    { do: "label", name: "unsupported" },
    { do: "return", value: ERRNO | EOPNOTSUPP },
    { do: "label", name: "foreign" },
    { do: "return", value: KILL_PROCESS },
  ]);
}

function conditionSteps(condition: Condition): BpfStep[] {
  const { call, when, otherwise } = condition;
  const applies: BpfStep[] = when === undefined ? [] : [loadArgument(when.argument), equal(when.is, { no: "allowed" })];
  const refuse: BpfStep = { do: "return", value: ERRNO | (otherwise === "EINVAL" ? EINVAL : EPERM) };
  return [{ do: "label", name: call }, ...applies, ...allowing(condition), refuse];
}

/** Jumps away when the argument is as it is to be. */
function allowing({ argument, allowed }: Condition): BpfStep[] {
  const load = loadArgument(argument);
  if ("oneOf" in allowed) {
    return [load, ...allowed.oneOf.map((value): BpfStep => equal(value, { yes: "allowed" }))];
  }
  if ("noneOf" in allowed) {
    const refused = allowed.noneOf.flatMap(({ mask, value }): BpfStep[] => {
      return [load, { do: "and", value: mask }, equal(value, { yes: "refused" })];
    });
    return [...refused, { do: "return", value: ALLOW }];
  }
  return [load, { do: "and", value: allowed.withoutBits }, equal(0, { yes: "allowed" })];
}

function loadArgument(argument: number): BpfStep {
  return { do: "load", offset: AT.arguments + argument * 8 };
}

function equal(value: number, goOn: { readonly yes?: string; readonly no?: string }): BpfStep {
  return { do: "test", is: "equal", value, ...goOn };
}
