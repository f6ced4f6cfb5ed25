import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROFILES } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";
import { writeSeccompProfile } from "./seccomp-profiles.ts";

test("starts at the same time find one whole profile, and leave nothing beside it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-seccomp-"));
  try {
    const paths = await Promise.all(Array.from({ length: 16 }, () => writeSeccompProfile(directory, "default")));
    expect([...new Set(paths)]).toEqual([join(directory, "default.json")]);
    expect(await readdir(directory)).toEqual(["default.json"]);
    expect(await readFile(join(directory, "default.json"), "utf8")).toBe(dockerSeccomp(PROFILES.default.syscalls));
  } finally {
    await rm(directory, { recursive: true });
  }
});
