import type { Condition, SyscallPolicy } from "./syscall-policy.ts";
import { syscallTable } from "./syscall-table.ts";

const ALLOW = "SCMP_ACT_ALLOW";
const REFUSE = "SCMP_ACT_ERRNO";
const EPERM = 1;
const ENOSYS = 38;

/**
 * The policy as Docker takes it: a list of what is allowed, all else is refused. It serves both processors: a daemon
 * leaves out names that its own does not have. Source: https://docs.docker.com/engine/security/seccomp/
 */
export function dockerSeccomp(policy: SyscallPolicy): string {
  const known = [...syscallTable("x64").numbers.keys(), ...syscallTable("arm64").numbers.keys()];
  const special = new Set([...policy.refused, ...policy.unknown, ...policy.conditions.map(({ call }) => call)]);
  const allowed = [...new Set(known)].filter((name) => !special.has(name));
  return JSON.stringify({
    defaultAction: REFUSE,
    defaultErrnoRet: EPERM,
    syscalls: [
      { names: allowed, action: ALLOW },
      { names: policy.unknown, action: REFUSE, errnoRet: ENOSYS },
      ...policy.conditions.flatMap(conditionRules),
    ],
  });
}

/** Rules for the same call are alternatives. */
function conditionRules({ call, argument: index, allowed }: Condition): readonly object[] {
  const rule = (op: string, value: number, valueTwo = 0) => ({
    names: [call],
    action: ALLOW,
    args: [{ index, value, valueTwo, op }],
  });
  if ("oneOf" in allowed) return allowed.oneOf.map((value) => rule("SCMP_CMP_EQ", value));
  if ("not" in allowed) return [rule("SCMP_CMP_NE", allowed.not)];
  return [rule("SCMP_CMP_MASKED_EQ", allowed.withoutBits)];
}
