import { expect, test } from "vitest";
import { assemble } from "./bpf-program.ts";
import { dockerSeccomp } from "./docker-seccomp.ts";
import { seccompFilter } from "./seccomp-filter.ts";
import {
  CONTAINING_SYSCALLS,
  STRICT_SYSCALLS,
  USUAL_SYSCALLS,
  type SyscallPolicy,
  withoutReserving,
} from "./syscall-policy.ts";
import { syscallTable } from "./syscall-table.ts";

type Asked = { readonly call: number; readonly args?: readonly number[]; readonly architecture?: number };

/** Runs a filter as the kernel does. */
function decide(program: Buffer, asked: Asked): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(asked.call, 0);
  data.writeUInt32LE(asked.architecture ?? syscallTable("x64").architecture, 4);
  asked.args?.forEach((value, index) => data.writeUInt32LE(value, 16 + index * 8));
  let loaded = 0;
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8);
    const k = program.readUInt32LE(at * 8 + 4);
    const jump = (taken: boolean) => (at += program.readUInt8(at * 8 + (taken ? 2 : 3)));
    if (code === 0x06) return k;
    else if (code === 0x20) loaded = data.readUInt32LE(k);
    else if (code === 0x54) loaded = (loaded & k) >>> 0;
    else if (code === 0x15) jump(loaded === k);
    else if (code === 0x25) jump(loaded > k);
    else if (code === 0x35) jump(loaded >= k);
    else throw new Error(`unknown instruction ${code}`);
  }
}

const WORDS = new Map([
  [0x7fff_0000, "allowed"],
  [0x0005_0001, "EPERM"],
  [0x0005_0026, "ENOSYS"],
  [0x0005_005f, "EOPNOTSUPP"],
  [0x0005_0016, "EINVAL"],
  [0x8000_0000, "killed"],
]);

function asking(policy: SyscallPolicy, processor = "x64") {
  const table = syscallTable(processor);
  const program = seccompFilter(policy, table);
  return (name: string, ...args: number[]) =>
    WORDS.get(decide(program, { call: table.numbers.get(name) ?? -1, args, architecture: table.architecture }));
}

test("the tables have the numbers of the kernel", () => {
  const names = ["read", "clone", "keyctl", "clone3", "set_mempolicy_home_node"];
  expect(names.map((name) => syscallTable("x64").numbers.get(name))).toEqual([0, 56, 250, 435, 450]);
  expect(names.map((name) => syscallTable("arm64").numbers.get(name))).toEqual([63, 220, 219, 435, 450]);
  expect(() => syscallTable("mips")).toThrow(/mips/);
});

test.each(["x64", "arm64"])(
  "every name of the policies is a system call of some processor, and %s refuses it",
  (arch) => {
    const both = new Set([...syscallTable("x64").numbers.keys(), ...syscallTable("arm64").numbers.keys()]);
    expect(STRICT_SYSCALLS.refused.filter((name) => !both.has(name))).toEqual([]);
    const ask = asking(STRICT_SYSCALLS, arch);
    const there = STRICT_SYSCALLS.refused.filter((name) => syscallTable(arch).numbers.has(name));
    expect(there.filter((name) => ask(name) !== "EPERM")).toEqual([]);
  },
);

test("what programs usually do is allowed, and namespaces, keys and mounts are refused", () => {
  const ask = asking(USUAL_SYSCALLS);
  expect(["read", "execve", "ptrace", "seccomp", "futex_waitv"].map((name) => ask(name))).toEqual(
    Array.from({ length: 5 }, () => "allowed"),
  );
  expect(["mount", "unshare", "setns", "keyctl", "bpf", "io_uring_setup"].map((name) => ask(name))).toEqual(
    Array.from({ length: 6 }, () => "EPERM"),
  );
  expect(ask("clone3")).toBe("ENOSYS");
});

test("arguments decide where the call alone does not", () => {
  const ask = asking(USUAL_SYSCALLS);
  expect([ask("clone", 0x0125_0011), ask("clone", 0x1000_0011), ask("clone", 0x0002_0000)]).toEqual([
    "allowed",
    "EPERM",
    "EPERM",
  ]);
  expect([ask("ioctl", 0, 0x5401), ask("ioctl", 0, 0x5412)]).toEqual(["allowed", "EPERM"]);
  expect([1, 2, 10, 16, 17, 38, 40].map((family) => ask("socket", family))).toEqual([
    ...Array.from({ length: 4 }, () => "allowed"),
    ...Array.from({ length: 3 }, () => "EPERM"),
  ]);
  expect([ask("prlimit64", 0, 7), ask("prlimit64", 1, 7), ask("prlimit64", 9, 7)]).toEqual([
    "allowed",
    "EPERM",
    "EPERM",
  ]);
  expect([ask("sched_setaffinity", 2), ask("sched_setaffinity", 1), ask("setpriority", 0, 1)]).toEqual([
    "allowed",
    "EPERM",
    "EPERM",
  ]);
  expect([ask("personality", 0xffff_ffff), ask("personality", 0x0040_0000)]).toEqual(["allowed", "EPERM"]);
});

test("strict refuses looks into other programs and sockets to the kernel", () => {
  const ask = asking(STRICT_SYSCALLS);
  expect([ask("ptrace"), ask("process_vm_readv"), ask("socket", 16), ask("socket", 1)]).toEqual([
    "EPERM",
    "EPERM",
    "EPERM",
    "allowed",
  ]);
});

test("calls of another architecture kill, and numbers beyond the table do not exist", () => {
  const program = seccompFilter(USUAL_SYSCALLS, syscallTable("x64"));
  const answer = (asked: Asked) => WORDS.get(decide(program, asked));
  expect(answer({ call: 0, architecture: 0x4000_0003 })).toBe("killed");
  expect([answer({ call: 451 }), answer({ call: 0x4000_0000 })]).toEqual(["ENOSYS", "ENOSYS"]);
});

test("a jump to nowhere, backwards or too far is refused", () => {
  const jump = { do: "test", is: "equal", value: 1, yes: "there" } as const;
  const filler = Array.from({ length: 256 }, () => ({ do: "load", offset: 0 }) as const);
  const label = { do: "label", name: "there" } as const;
  expect(() => assemble([jump])).toThrow("there");
  expect(() => assemble([label, jump])).toThrow("there");
  expect(() => assemble([jump, ...filler, label])).toThrow("there");
  expect(assemble([jump, label, { do: "return", value: 7 }]).toString("hex")).toBe("15000000010000000600000007000000");
});

/** What the kernel's file systems take to give space away before it is written. Source: linux/falloc.h, xfs/xfs_fs.h */
const RESERVING = [0x4030_5828, 0x4030_582a, 0x4030_5839, 0x4030_580a, 0x4030_5824, 0x401c_5820];

test.each(["x64", "arm64"])("where a disk is shared nothing takes space of it before it is written, on %s", (arch) => {
  for (const policy of [USUAL_SYSCALLS, STRICT_SYSCALLS, CONTAINING_SYSCALLS]) {
    const ask = asking(withoutReserving(policy, arch), arch);
    expect([ask("fallocate"), ask("io_uring_setup"), ask("ioctl", 0, 0x5412)]).toEqual([
      "EOPNOTSUPP",
      "EPERM",
      "EPERM",
    ]);
    expect(RESERVING.map((request) => ask("ioctl", 0, request))).toEqual(RESERVING.map(() => "EPERM"));
    expect([ask("madvise", 0, 0, 14), ask("madvise", 0, 0, 25)]).toEqual(["EPERM", "EPERM"]);
    expect([ask("madvise", 0, 0, 4), ask("ioctl", 0, 0x5401), ask("write")]).toEqual(["allowed", "allowed", "allowed"]);
    const direct = arch === "x64" ? 0o40_000 : 0o200_000;
    const flags = [direct | 2, 2, 0o2_000_000];
    expect(flags.map((flag) => ask("openat", 0, 0, flag))).toEqual(["EINVAL", "allowed", "allowed"]);
    const opens = arch === "x64" ? [ask("open", 0, direct), ask("open", 0, 2)] : ["EINVAL", "allowed"];
    expect([ask("openat2"), ...opens]).toEqual(["ENOSYS", "EINVAL", "allowed"]);
    const fcntls = [ask("fcntl", 0, 4, direct), ask("fcntl", 0, 4, 0o4000), ask("fcntl", 0, 6, direct)];
    expect(fcntls).toEqual(["EINVAL", "allowed", "allowed"]);
    const own = asking(policy, arch);
    expect([own("fallocate"), own("ioctl", 0, 0x4030_5828), own("madvise", 0, 0, 14)]).toEqual([
      "allowed",
      "allowed",
      "allowed",
    ]);
  }
});

/** What Docker's form of a policy allows, as libseccomp does, which compares 64 bits. */
function dockerAsked(policy: SyscallPolicy) {
  const { syscalls } = JSON.parse(dockerSeccomp(policy)) as DockerProfile;
  const matches = ({ op, value, valueTwo }: Compared, argument: bigint) =>
    op === "SCMP_CMP_NE" ? argument !== BigInt(value) : (argument & BigInt(value)) === BigInt(valueTwo);
  const allows = (call: string, argument: bigint) =>
    syscalls.some(
      ({ names, action, args: [arg] = [] }) =>
        names.includes(call) && action === "SCMP_ACT_ALLOW" && (arg === undefined || matches(arg, argument)),
    );
  return { syscalls, allows };
}

const high = 0x1_0000_0000n;

test("Docker refuses numbers whose low 32 bits, which alone the kernel looks at, are of what is refused", () => {
  const { syscalls, allows } = dockerAsked(withoutReserving(USUAL_SYSCALLS, "x64"));
  for (const refused of [0x5412, ...RESERVING].map(BigInt)) {
    expect([allows("ioctl", refused), allows("ioctl", high + refused)]).toEqual([false, false]);
  }
  expect([0x5401n, 0x5413n, 0x4004_9409n, 0xc020_660bn].map((request) => allows("ioctl", request))).toEqual(
    Array.from({ length: 4 }, () => true),
  );
  expect([1n, high + 1n, 2n, 0n].map((pid) => allows("sched_setaffinity", pid))).toEqual([false, false, true, true]);
  expect(syscalls.filter(({ names }) => names.includes("fallocate"))).toEqual([
    { names: ["fallocate"], action: "SCMP_ACT_ERRNO", errnoRet: 95 },
  ]);
});

test("where only the sandbox's own program can be slowed down, Docker is given one rule for that and not dozens", () => {
  const { syscalls, allows } = dockerAsked(USUAL_SYSCALLS);
  for (const call of ["sched_setaffinity", "setpriority"]) {
    expect([1n, 2n, 0n].map((pid) => allows(call, pid))).toEqual([false, true, true]);
    expect(syscalls.filter(({ names }) => names.includes(call)).length).toBe(1);
  }
  expect([0x5412n, high + 0x5412n, 0x5401n].map((request) => allows("ioctl", request))).toEqual([false, false, true]);
});

type Compared = { readonly op: string; readonly value: number; readonly valueTwo: number };
type DockerProfile = {
  readonly defaultAction: string;
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly args?: readonly Compared[];
  }[];
};

test("Docker gets the same policy as a list of what is allowed", () => {
  const profile = JSON.parse(dockerSeccomp(STRICT_SYSCALLS)) as DockerProfile;
  const [allowed] = profile.syscalls;
  expect(profile.defaultAction).toBe("SCMP_ACT_ERRNO");
  expect(["read", "newfstatat", "arch_prctl"].filter((name) => !allowed?.names.includes(name))).toEqual([]);
  expect(STRICT_SYSCALLS.refused.filter((name) => allowed?.names.includes(name))).toEqual([]);
  expect(profile.syscalls.filter(({ names }) => names.includes("clone"))).toEqual([
    {
      names: ["clone"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
    },
  ]);
});
