import { defineConfig } from "vitest/config";

/**
 * `unit`: fast, no servers of others, part of `npm run check`. `system` (`*.system.test.ts`): real Docker, bubblewrap
 * and processes, part of `npm test`. The browser and crash tests are in `e2e`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "packages/*/src/**/*.test.tsx", "scripts/*.test.ts"],
          exclude: ["**/*.system.test.ts", "**/node_modules/**"],
        },
      },
      {
        test: {
          name: "system",
          include: ["packages/*/src/**/*.system.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
