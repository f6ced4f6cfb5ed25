import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { DockerError } from "./docker-error.ts";
import { readInfo, readProgress } from "./docker-shapes.ts";

/** What Docker 28 says, as far as it is read. */
const INFO = {
  ServerVersion: "28.5.2",
  Driver: "overlay2",
  CgroupVersion: "2",
  KernelVersion: "6.1.0-40-amd64",
  Architecture: "x86_64",
  NCPU: 2,
  MemTotal: 1000,
  MemoryLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  Runtimes: { runc: {}, runsc: {} },
  SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
};
const ENGINE = { Components: [{ Name: "Engine" }, { Name: "containerd" }] };
const FACTS = {
  product: "Docker",
  version: "28.5.2",
  kernel: "6.1.0-40-amd64",
  storage: "overlay2",
  cgroups: "cgroup v2",
  rootless: false,
  userNamespaces: false,
  selinux: false,
  architecture: "x86_64",
  cpus: 2,
  memoryBytes: 1000,
  runtimes: ["runc", "runsc"],
  missingLimits: [],
};

test("a daemon's own words are read: version, storage, control groups, users, runtimes", () => {
  expect(readInfo(INFO, ENGINE)).toEqual(FACTS);
  expect(readInfo({ ...INFO, SecurityOptions: ["name=selinux"] }, ENGINE)).toEqual({ ...FACTS, selinux: true });
  expect(readInfo({ ...INFO, CgroupVersion: "1" }, ENGINE)).toEqual({ ...FACTS, cgroups: "cgroup v1" });
});

test("a daemon that shifts users, and one that is no root itself, are told apart from others and each other", () => {
  const users = (...options: string[]) => {
    const { rootless, userNamespaces } = readInfo({ ...INFO, SecurityOptions: options }, ENGINE);
    return { rootless, userNamespaces };
  };
  expect(users("name=seccomp,profile=default", "name=userns")).toEqual({ rootless: false, userNamespaces: true });
  expect(users("name=rootless")).toEqual({ rootless: true, userNamespaces: true });
  expect(users()).toEqual({ rootless: false, userNamespaces: false });
  const podman = readInfo({ ...INFO, Rootless: true }, { Components: [{ Name: "Podman Engine" }] });
  expect(podman).toMatchObject({ rootless: true, userNamespaces: true, missingLimits: [] });
});

test("limits that a daemon says it cannot keep are told; of those it says nothing of, nothing is", () => {
  const missing = (info: object) => readInfo({ ...INFO, ...info }, ENGINE).missingLimits;
  expect(missing({ MemoryLimit: false, PidsLimit: false, CpuCfsQuota: false })).toEqual(["memory", "processes", "CPU"]);
  expect(missing({ PidsLimit: undefined })).toEqual([]);
  expect(missing({ Rootless: true, CgroupVersion: "1" })).toEqual(["memory", "processes", "CPU"]);
  expect(missing({ CgroupVersion: "1" })).toEqual([]);
});

test("Podman says what it is among its parts", () => {
  expect(readInfo(INFO, { Components: [{ Name: "Podman Engine" }] }).product).toBe("Podman");
});

test("an answer that is none is read as a daemon that says nothing", () => {
  const nothing = { version: "", storage: "", cpus: 0, runtimes: [], missingLimits: [] };
  expect(readInfo(null, "what")).toMatchObject({ product: "Docker", ...nothing });
});

test("a pull's lines are read however they are cut, the last one without its end too", async () => {
  const lines = [
    { id: "a", status: "Downloading", progressDetail: { current: 1, total: 2 } },
    { id: "ä", status: "Download complete" },
  ];
  const bytes = Buffer.from(lines.map((line) => JSON.stringify(line)).join("\n"));
  const said: unknown[] = [];
  const cut = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
  await readProgress(Readable.from(cut, { objectMode: false }), (line) => said.push(line));
  expect(said).toEqual([
    { id: "a", status: "Downloading", current: 1, total: 2 },
    { id: "ä", status: "Download complete", current: 0, total: 0 },
  ]);
});

test("an error that comes in the middle of a pull is the pull's", async () => {
  const body = Readable.from([Buffer.from('{"status":"Pulling"}\n{"error":"no space left"}\n')], { objectMode: false });
  await expect(readProgress(body, () => undefined)).rejects.toEqual(new DockerError(500, "no space left"));
});
