import type { BackendUnderTest } from "@handrail/core/testing/sandbox-bench";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { afterAll, beforeAll } from "vitest";
import { dockerBackend } from "../docker/docker-backend.ts";
import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { buildDefaultImage } from "../image/build-default-image.ts";
import { type DindSidecar, type SidecarKind, startSidecar } from "./dind-sidecar.ts";
import { daemonUnderTest } from "./docker-bench.ts";
import { builtPrograms } from "./test-programs.ts";

/** The sidecar of a suite of tests, which has the default image. */
export type DindSuite = {
  readonly sidecar: () => DindSidecar;
  /** `waitMs`: how long a daemon that is away is waited for; default a minute. */
  readonly open: (installation: string, waitMs?: number) => SandboxBackend;
  readonly underTest: () => Promise<BackendUnderTest>;
};

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };
const WAIT_MS = 60_000;
const START_MS = 300_000;

/** Starts a sidecar before the first test of a suite, and puts it away after the last. */
export function dindSuite(kind: SidecarKind): DindSuite {
  let started: DindSidecar | undefined;
  beforeAll(async () => {
    started = await startSidecar(kind);
    await buildDefaultImage({ host: started.host, cacheDirectory: undefined, onProgress: () => undefined });
  }, START_MS);
  afterAll(async () => started?.dispose());
  const sidecar = () => {
    if (started === undefined) throw new Error("The sidecar was not started.");
    return started;
  };
  const open = (installation: string, waitMs = WAIT_MS) => {
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS, waitMs };
    return dockerBackend({ ...common, installation, host: sidecar().host });
  };
  const underTest = async () => {
    const client = dockerClient(dockerEndpoint({ host: sidecar().host }));
    return daemonUnderTest({
      client,
      open: async (installation) => open(installation),
      hostPath: import.meta.dirname,
      limits: LIMITS,
      dispose: async () => client.close(),
    });
  };
  return { sidecar, open, underTest };
}
