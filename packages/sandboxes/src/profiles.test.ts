import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "./limits.ts";
import { egressUnder, limitsUnder } from "./profiles.ts";

const MIB = 1024 ** 2;

test("a profile lowers limits and raises none", () => {
  expect(limitsUnder("strict", DEFAULT_LIMITS)).toEqual({
    memoryBytes: 1024 * MIB,
    cpus: 1,
    processes: 128,
    tmpBytes: 128 * MIB,
    openFiles: 1024,
    fileBytes: DEFAULT_LIMITS.fileBytes,
    diskBytes: 2048 * MIB,
  });
  const small = { ...DEFAULT_LIMITS, memoryBytes: 64 * MIB, cpus: 0.5, processes: 10, openFiles: 20, diskBytes: MIB };
  expect(limitsUnder("strict", small)).toEqual({ ...small, tmpBytes: 16 * MIB });
  for (const profile of ["default", "dev"] as const)
    expect(limitsUnder(profile, DEFAULT_LIMITS)).toEqual(DEFAULT_LIMITS);
});

test("what is in memory for /tmp leaves three quarters of it to programs", () => {
  const limits = { ...DEFAULT_LIMITS, memoryBytes: 100, tmpBytes: 90 };
  expect(limitsUnder("default", limits)).toEqual({ ...limits, tmpBytes: 25 });
});

test("a way out that a profile does not have is shut, whoever opens it", () => {
  const streams = { strict: new PassThrough(), default: new PassThrough() };
  const through: unknown[] = [];
  for (const profile of ["strict", "default"] as const) {
    egressUnder(profile, (stream) => through.push(stream))(streams[profile]);
  }
  expect(through).toEqual([streams.default]);
  expect([streams.strict.destroyed, streams.default.destroyed]).toEqual([true, false]);
});
