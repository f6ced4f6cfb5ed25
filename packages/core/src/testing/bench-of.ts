import { afterAll, beforeAll } from "vitest";
import { type BackendBench, type BackendUnderTest, closeBench, openBench } from "./sandbox-bench.ts";

/** The bench of a suite, opened before its first test and closed after its last. */
export function benchOf<Under extends BackendUnderTest>(make: () => Promise<Under>): () => Under & BackendBench {
  let bench: (Under & BackendBench) | undefined;
  beforeAll(async () => {
    bench = await openBench(await make());
  });
  afterAll(() => closeBench(bench));
  return () => {
    if (bench === undefined) throw new Error("The backend was not opened.");
    return bench;
  };
}
