import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { lowered } from "./attainable-limits.ts";
import { bubblewrapArguments, limitArguments } from "./bubblewrap-arguments.ts";
import { boundGroupsOf, cgroupSettings } from "../local/cgroups.ts";

const LIMITS = { ...DEFAULT_LIMITS, memoryBytes: 512, cpus: 1.5, processes: 100, openFiles: 200, fileBytes: 300 };

test("control groups of version 2 bound memory without swap, processes and processors", () => {
  expect(cgroupSettings("/sys/fs/cgroup/handrail-a/x_1", 2, LIMITS)).toEqual([
    { file: "pids.max", value: "100" },
    { file: "memory.max", value: "512" },
    { file: "memory.swap.max", value: "0", optional: true },
    { file: "cpu.max", value: "150000 100000", optional: true },
  ]);
});

test("control groups of version 1 bound the same, each in its place", () => {
  const at = (controller: string) => cgroupSettings(`/sys/fs/cgroup/${controller}/handrail-a/x_1`, 1, LIMITS);
  expect(["pids", "memory", "cpu"].map(at)).toEqual([
    [{ file: "pids.max", value: "100" }],
    [
      { file: "memory.limit_in_bytes", value: "512" },
      { file: "memory.memsw.limit_in_bytes", value: "512", optional: true },
    ],
    [{ file: "cpu.cfs_quota_us", value: "150000", optional: true }],
  ]);
});

test("each process is bounded on its own, in its memory too where no control group does it", () => {
  const own = ["--nproc=100", "--nofile=200", "--fsize=300", "--core=0"];
  expect(limitArguments(LIMITS, undefined)).toEqual([...own, "--"]);
  expect(limitArguments(LIMITS, 512)).toEqual([...own, "--data=512", "--"]);
});

test("no limit is above what this process may have itself", () => {
  const table = `Limit                     Soft Limit           Hard Limit           Units
Max file size             unlimited            unlimited            bytes
Max processes             50                   60                   processes
Max open files            1024                 150                  files`;
  expect(lowered(LIMITS, table)).toEqual({ ...LIMITS, processes: 60, openFiles: 150 });
  expect(lowered(LIMITS, "")).toEqual(LIMITS);
});

const BOX = {
  bubblewrap: { version: "0.8.0", sizes: true, disablesNamespaces: true },
  mounts: { links: [{ text: "usr/bin", target: "/bin" }], binds: [] },
  limits: { ...LIMITS, tmpBytes: 64 },
  environment: { A: "b" },
  seccompFd: 3,
  hasNetwork: false,
};
const memory = (path: string, bytes: number) => `--size ${bytes} --perms 1777 --tmpfs ${path}`;

test("a plain user's box has namespaces of its own for all there are, no rights, no others inside, and a root that stays", () => {
  const words = [
    "--new-session --as-pid-1 --cap-drop ALL --hostname sandbox",
    "--unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup-try --unshare-net",
    "--unshare-user --uid 1000 --gid 1000 --disable-userns",
    "--symlink usr/bin /bin --proc /proc --dev /dev",
    memory("/tmp", 64),
    memory("/var/tmp", 64),
    memory("/run", 16 * 1024 ** 2),
    memory("/dev/shm", 64 * 1024 ** 2),
    "--remount-ro / --chdir /workspace --seccomp 3 --setenv A b --",
  ];
  expect(bubblewrapArguments(BOX).join(" ")).toBe(words.join(" "));
});

test("root of a system of its own has six rights, and loses all others for good", () => {
  const words = bubblewrapArguments({ ...BOX, ownUsers: { containers: false } });
  const added = words.flatMap((word, at) => (word === "--cap-add" ? [words[at + 1]] : []));
  const six = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];
  expect(added).toEqual([...six, "SETPCAP"].map((name) => `CAP_${name}`));
  const kept = six.map((name) => `+${name.toLowerCase()}`).join(",");
  expect(words.slice(words.indexOf("--")).join(" ")).toBe(
    `-- setpriv --bounding-set=-all,${kept} --inh-caps=-all --ambient-caps=-all --`,
  );
});

test("groups that are not a process's own by their name are left as they are, as is what has no process", async () => {
  const bounded = [await boundGroupsOf(process.pid, "of-nobody", DEFAULT_LIMITS)];
  expect([...bounded, await boundGroupsOf(undefined, "", DEFAULT_LIMITS)]).toEqual([false, false]);
});
