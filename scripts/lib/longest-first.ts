import path from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * About how many seconds the test files take that take longest, on two cores with nothing kept from earlier runs. Order is
 * all that they are for: one that is missing or wrong costs time, and nothing else.
 */
export const LONG_FILES: Readonly<Record<string, number>> = {
  "packages/sandboxes/src/docker/podman.system.test.ts": 234,
  "e2e/src/crash-process.test.ts": 171,
  "e2e/src/attacks/damage.test.ts": 153,
  "e2e/src/browser/small-screen.test.ts": 141,
  "packages/sandboxes/src/docker/rootless-dind.system.test.ts": 138,
  "packages/sandboxes/src/docker/dind.system.test.ts": 136,
  "packages/sandboxes/src/docker/mapped-daemon.system.test.ts": 120,
  "e2e/src/crash-docker.test.ts": 113,
  "packages/cli/src/handrail.system.test.ts": 105,
  "packages/sandboxes/src/docker/docker-garbage.system.test.ts": 86,
  "packages/gateway/src/testing/clients/clients.system.test.ts": 85,
  "packages/sandboxes/src/docker/full-machine.system.test.ts": 73,
  "e2e/src/attacks/inside.test.ts": 72,
  "e2e/src/state.test.ts": 71,
  "e2e/src/fuzz.test.ts": 69,
  "e2e/src/main-job.test.ts": 67,
  "e2e/src/attacks/network.test.ts": 65,
  "packages/sandboxes/src/containerd/containerd-backend.system.test.ts": 58,
  "packages/sandboxes/src/docker/daemon-disks.system.test.ts": 55,
  "packages/sandboxes/src/containerd/containerd-gvisor.system.test.ts": 54,
  "packages/sandboxes/src/docker/docker-backend.system.test.ts": 52,
  "e2e/src/browser/gateway-forms.test.ts": 50,
  "e2e/src/browser/demo.test.ts": 47,
  "packages/sandboxes/src/process/process-backend.system.test.ts": 39,
  "packages/server/src/checkpoints/checkpoints.system.test.ts": 39,
  "e2e/src/browser/two-browsers.test.ts": 39,
  "e2e/src/browser/teams.test.ts": 39,
  "packages/sandboxes/src/docker/daemon-loss.system.test.ts": 35,
  "e2e/src/killed-in-container.test.ts": 35,
  "e2e/src/hostile.test.ts": 34,
  "packages/sandboxes/src/link/sandbox-link.system.test.ts": 33,
  "packages/gateway/src/testing/clients/litellm-proxy.system.test.ts": 30,
  "e2e/src/browser/steer.test.ts": 29,
  "packages/sandboxes/src/docker/docker-start.system.test.ts": 27,
  "packages/server/src/compose/real-clients.system.test.ts": 25,
  "packages/sandboxes/src/docker/docker-disks.system.test.ts": 24,
  "e2e/src/browser/toasts.test.ts": 23,
  "e2e/src/browser/preview.test.ts": 23,
  "e2e/src/browser/place.test.ts": 23,
  "packages/server/src/compose/housekeeping.system.test.ts": 22,
  "packages/sandboxes/src/none/none-backend.system.test.ts": 21,
  "packages/server/src/compose/gateway/litellm-client.system.test.ts": 21,
  "packages/sandboxes/src/process/full-machine.system.test.ts": 21,
  "packages/sandboxes/src/docker/programs-volume.system.test.ts": 21,
  "packages/gateway/src/books/postgres-books.system.test.ts": 21,
  "e2e/src/restored-state.test.ts": 20,
  "packages/sandboxes/src/docker/docker-gvisor.system.test.ts": 19,
  "packages/checkpoints/src/s3-store.system.test.ts": 19,
  "packages/server/src/setups/setup-cache.system.test.ts": 18,
  "e2e/src/browser/conversation-settings.test.ts": 18,
  "packages/gateway/src/program/program-postgres.system.test.ts": 18,
  "packages/sandboxes/src/containerd/containerd-garbage.system.test.ts": 17,
  "packages/gateway/src/program/program.system.test.ts": 17,
  "packages/logs/src/sqlite-crash.system.test.ts": 16,
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
