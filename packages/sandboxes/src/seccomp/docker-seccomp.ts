import { allBut, type Bits, exactly } from "./all-but.ts";
import type { Condition, SyscallPolicy } from "./syscall-policy.ts";
import { syscallTable } from "./syscall-table.ts";

const ALLOW = "SCMP_ACT_ALLOW";
const REFUSE = "SCMP_ACT_ERRNO";
const EPERM = 1;
const EINVAL = 22;
const ENOSYS = 38;
const EOPNOTSUPP = 95;

/**
 * The policy as Docker takes it: a list of what is allowed, all else is refused. It serves both processors: a daemon
 * leaves out names that its own does not have. Source: https://docs.docker.com/engine/security/seccomp/
 */
export function dockerSeccomp(policy: SyscallPolicy): string {
  const known = [...syscallTable("x64").numbers.keys(), ...syscallTable("arm64").numbers.keys()];
  const { refused, unknown, unsupported, conditions } = policy;
  const special = new Set([...refused, ...unknown, ...unsupported, ...conditions.map(({ call }) => call)]);
  const allowed = [...new Set(known)].filter((name) => !special.has(name));
  return JSON.stringify({
    defaultAction: REFUSE,
    defaultErrnoRet: EPERM,
    syscalls: [
      { names: allowed, action: ALLOW },
      { names: unknown, action: REFUSE, errnoRet: ENOSYS },
      ...(unsupported.length === 0 ? [] : [{ names: unsupported, action: REFUSE, errnoRet: EOPNOTSUPP }]),
      ...conditions.flatMap(conditionRules),
    ],
  });
}

type Comparison = { readonly index: number; readonly op: string; readonly value: number; readonly valueTwo: number };

/** Rules for the same call are alternatives. */
function conditionRules({ call, argument, allowed, when, otherwise, roughly }: Condition): readonly object[] {
  const rule = (args: readonly Comparison[], refusal = {}) => ({ names: [call], action: ALLOW, ...refusal, args });
  const given = when === undefined ? [] : [areBits(when.argument)(exactly(when.is))];
  const others = when === undefined ? [] : allBut([exactly(when.is)]).map(areBits(when.argument));
  const refusal = "withoutBits" in allowed && otherwise === "EINVAL" ? [allowed.withoutBits] : [];
  return [
    ...others.map((other) => rule([other])),
    ...comparisons(argument, allowed, roughly).map((one) => rule([...given, one])),
    ...refusal.map((bit) =>
      rule([...given, areBits(argument)({ mask: bit, value: bit })], { action: REFUSE, errnoRet: EINVAL }),
    ),
  ];
}

function comparisons(index: number, allowed: Condition["allowed"], roughly = false): readonly Comparison[] {
  const each = (op: string) => (value: number) => ({ index, op, value, valueTwo: 0 });
  if ("oneOf" in allowed) return allowed.oneOf.map(each("SCMP_CMP_EQ"));
  if ("noneOf" in allowed && roughly) return allowed.noneOf.map(({ value }) => value).map(each("SCMP_CMP_NE"));
  if ("noneOf" in allowed) return allBut(allowed.noneOf).map(areBits(index));
  return [areBits(index)({ mask: allowed.withoutBits, value: 0 })];
}

function areBits(index: number): (bits: Bits) => Comparison {
  return ({ mask, value }) => ({ index, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: value });
}
