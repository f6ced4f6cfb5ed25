import { writeFileSync } from "node:fs";

// Loaded into a measured program with `--expose-gc --import`: at SIGUSR2 it collects garbage twice and writes its
// memory use as JSON to the file that BENCH_MEMORY_FILE names.
process.on("SIGUSR2", () => {
  const file = process.env["BENCH_MEMORY_FILE"];
  globalThis.gc?.();
  globalThis.gc?.();
  if (file !== undefined) writeFileSync(file, JSON.stringify(process.memoryUsage()));
});
