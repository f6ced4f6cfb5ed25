import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/lib/longest-first.ts";

/** How long `expect.poll` waits for what is to come. What comes is seen at once; on a busy machine a second is soon over. */
const polling = (timeout: number) => ({ expect: { poll: { timeout } } });

/** Of test files that wait for programs as long as they work themselves: more at once than a small machine has processors. */
const WAITING = {
  maxWorkers: 3,
  sequence: { groupOrder: 1 },
  testTimeout: 180_000,
  hookTimeout: 180_000,
  ...polling(60_000),
};

/** Fails at once where the program inside sandboxes is not built, or from other sources than are here. */
const SANDBOXD_BUILT = "./scripts/lib/require-sandboxd.ts";

/**
 * `unit`: fast, no servers of others, part of `npm run check`. `system` (`*.system.test.ts`): real Docker, bubblewrap
 * and processes, part of `npm test`. The browser and crash tests are in `e2e`.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "packages/*/src/**/*.test.tsx", "scripts/*.test.ts"],
          exclude: ["**/*.system.test.ts", "**/node_modules/**"],
          // They are short; but packages and images may be made beside them.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...polling(30_000),
          maxWorkers: "100%",
          // Modules are loaded once for each worker: loading them for each file takes longer than all tests.
          isolate: false,
        },
      },
      {
        test: {
          name: "system",
          include: ["packages/*/src/**/*.system.test.ts"],
          globalSetup: SANDBOXD_BUILT,
          ...WAITING,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.test.ts"],
          globalSetup: SANDBOXD_BUILT,
          ...WAITING,
        },
      },
    ],
  },
});
