import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROFILES } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";
import { seccompProfiles } from "./seccomp-profiles.ts";

const OWN_DISK = { shared: false } as const;

test("a profile is written once by each server, and anew when somebody took it away", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-seccomp-"));
  try {
    const { fileOf } = seccompProfiles(directory);
    const path = await fileOf("strict", OWN_DISK);
    await writeFile(path, "as it was");
    await fileOf("strict", OWN_DISK);
    expect(await readFile(path, "utf8")).toBe("as it was");
    // What an earlier version left is not what holds.
    await seccompProfiles(directory).fileOf("strict", OWN_DISK);
    expect(await readFile(path, "utf8")).toBe(dockerSeccomp(PROFILES.strict.syscalls));
    await rm(path);
    await fileOf("strict", OWN_DISK);
    expect(await readFile(path, "utf8")).toBe(dockerSeccomp(PROFILES.strict.syscalls));
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("what a killed server was writing goes, and what this one writes does not", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-seccomp-"));
  try {
    const { fileOf, tidy } = seccompProfiles(join(directory, "seccomp"));
    await tidy();
    await mkdir(join(directory, "seccomp"));
    await writeFile(join(directory, "seccomp/strict.json.0f3c.part"), "{");
    for (let round = 0; round < 50; round++) {
      await rm(join(directory, "seccomp/strict.json"), { force: true });
      const writing = { over: false };
      const written = fileOf("strict", OWN_DISK).finally(() => (writing.over = true));
      while (!writing.over) await tidy();
      await written;
    }
    expect(await readdir(join(directory, "seccomp"))).toEqual(["strict.json"]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("starts at the same time find one whole profile, and leave nothing beside it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-seccomp-"));
  try {
    const servers = Array.from({ length: 4 }, () => seccompProfiles(directory));
    const paths = await Promise.all([...servers, ...servers].map(({ fileOf }) => fileOf("default", OWN_DISK)));
    expect([...new Set(paths)]).toEqual([join(directory, "default.json")]);
    expect(await readdir(directory)).toEqual(["default.json"]);
    expect(await readFile(join(directory, "default.json"), "utf8")).toBe(dockerSeccomp(PROFILES.default.syscalls));
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a pod's own process has fewer calls than any sandbox, and nearly none of them under a condition", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-seccomp-"));
  try {
    const { fileOf, podFile } = seccompProfiles(directory);
    const [pod, strict] = await Promise.all([podFile(), fileOf("strict", OWN_DISK)].map(allowedIn));
    expect(pod?.conditions).toEqual(["clone"]);
    expect(pod?.free.filter((call) => !strict?.free.includes(call))).toEqual([]);
    expect(["pause", "rt_sigaction", "execve"].filter((call) => !pod?.free.includes(call))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

type Rule = { readonly names: readonly string[]; readonly action: string; readonly args?: readonly unknown[] };

async function allowedIn(path: Promise<string>) {
  const { syscalls } = JSON.parse(await readFile(await path, "utf8")) as { readonly syscalls: readonly Rule[] };
  const allowed = syscalls.filter(({ action }) => action === "SCMP_ACT_ALLOW");
  const named = (under: boolean) =>
    allowed.filter(({ args }) => (args !== undefined) === under).flatMap(({ names }) => names);
  return { free: named(false), conditions: named(true) };
}
