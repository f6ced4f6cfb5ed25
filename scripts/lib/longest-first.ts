import path from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * About how many seconds the test files take that take longest, on two cores with nothing kept from earlier runs. Order is
 * all that they are for: one that is missing or wrong costs time, and nothing else.
 */
export const LONG_FILES: Readonly<Record<string, number>> = {
  "e2e/src/attacks/damage.test.ts": 137,
  "e2e/src/crash-process.test.ts": 130,
  "e2e/src/browser/small-screen.test.ts": 119,
  "e2e/src/crash-docker.test.ts": 110,
  "e2e/src/fuzz.test.ts": 89,
  "packages/gateway/src/testing/clients/clients.system.test.ts": 85,
  "packages/sandboxes/src/containerd/containerd-backend.system.test.ts": 58,
  "packages/sandboxes/src/docker/docker-backend.system.test.ts": 52,
  "e2e/src/state.test.ts": 52,
  "e2e/src/main-job.test.ts": 50,
  "packages/cli/src/handrail.system.test.ts": 48,
  "packages/sandboxes/src/process/process-backend.system.test.ts": 47,
  "e2e/src/attacks/inside.test.ts": 46,
  "e2e/src/attacks/network.test.ts": 38,
  "e2e/src/browser/gateway-forms.test.ts": 35,
  "e2e/src/browser/demo.test.ts": 33,
  "e2e/src/hostile.test.ts": 29,
  "e2e/src/browser/two-browsers.test.ts": 28,
  "packages/sandboxes/src/docker/podman.system.test.ts": 25,
  "packages/sandboxes/src/link/sandbox-link.system.test.ts": 24,
  "packages/sandboxes/src/docker/dind.system.test.ts": 23,
  "packages/sandboxes/src/docker/docker-start.system.test.ts": 19,
  "e2e/src/browser/steer.test.ts": 19,
  "packages/server/src/compose/real-clients.system.test.ts": 18,
  "packages/gateway/src/books/postgres-books.system.test.ts": 16,
  "packages/server/src/compose/housekeeping.system.test.ts": 16,
};

/** The order in which vitest starts test files: the longest first, over all projects, so that none runs alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longestFirst(await super.sort(files), this.ctx.config.root);
  }
}

/** Files of a known time by it, then the others as they were. */
export function longestFirst<File extends { readonly moduleId: string }>(files: readonly File[], root: string): File[] {
  const seconds = ({ moduleId }: File) => LONG_FILES[path.relative(root, moduleId)] ?? 0;
  return files.toSorted((one, other) => seconds(other) - seconds(one));
}
