import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import type { BackendUnderTest, UnheldLimit } from "@handrail/core/testing/sandbox-bench";
import { sandboxGarbageContract } from "@handrail/core/testing/sandbox-garbage-contract";
import { benchOf } from "@handrail/core/testing/bench-of";
import { sandboxHostilityContract } from "@handrail/core/testing/sandbox-hostility-contract";
import { sandboxIsolationContract } from "@handrail/core/testing/sandbox-isolation-contract";
import { sandboxLifeContract } from "@handrail/core/testing/sandbox-life-contract";
import { type DaemonUnderTest, sandboxLossContract } from "@handrail/core/testing/sandbox-loss-contract";
import { afterAll, beforeAll, describe } from "vitest";
import { type DockerOptions, dockerBackend } from "../docker/docker-backend.ts";
import { dockerClient } from "../docker/docker-client.ts";
import { dockerEndpoint } from "../docker/docker-endpoint.ts";
import { BUILT_IMAGE } from "../docker/docker-image.ts";
import { buildDefaultImage } from "../image/build-default-image.ts";
import { config } from "./config.ts";
import { daemonUnderTest } from "./docker-bench.ts";
import { forgetAll } from "./forget-installation.ts";
import { killedInDaemon } from "./killed-in-daemon.ts";
import { leftInDaemon } from "./leftovers.ts";
import { builtPrograms } from "./test-programs.ts";

/** A daemon that a suite has for itself. */
export type SuiteDaemon = {
  /** As `DOCKER_HOST` is written. */
  readonly host: string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on all that it had, and waits until it answers. */
  start(): Promise<void>;
  /** Lines of `/proc/PID/mountinfo` with what is mounted where the daemon is. */
  mounts(): Promise<readonly string[]>;
  dispose(): Promise<void>;
};

/** Such a daemon, once it has the default image. */
export type DaemonSuite<Daemon extends SuiteDaemon = SuiteDaemon> = {
  readonly daemon: () => Daemon;
  /** A backend that waits a minute for a daemon that is away, unless it is opened otherwise. */
  readonly open: (installation: string, more?: Partial<DockerOptions>) => SandboxBackend;
  readonly limits: Required<Pick<BackendUnderTest["limits"], "memoryBytes" | "processes" | "diskBytes">>;
};

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };
const WAIT_MS = 60_000;
const START_MS = 300_000;

/** Starts a daemon before the first test of a suite, and puts it away after the last. */
export function daemonSuite<Daemon extends SuiteDaemon>(launch: () => Promise<Daemon>): DaemonSuite<Daemon> {
  let started: Daemon | undefined;
  beforeAll(async () => {
    started = await launch();
    await buildDefaultImage({ host: started.host, cacheDirectory: undefined, onProgress: () => undefined });
  }, START_MS);
  afterAll(async () => {
    if (started === undefined) return;
    const client = dockerClient(dockerEndpoint({ host: started.host }));
    // A daemon may keep its volumes until the next run, as it does its images: each installation has some for the next server.
    try {
      await forgetAll(client);
    } finally {
      client.close();
      await started.dispose();
    }
  });
  const daemon = () => {
    if (started === undefined) throw new Error("The daemon was not started.");
    return started;
  };
  const open: DaemonSuite["open"] = (installation, more) => {
    const common = { sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS, waitMs: WAIT_MS };
    return dockerBackend({ ...common, installation, host: daemon().host, ...more });
  };
  return { daemon, open, limits: LIMITS };
}

/** What one kind of daemon differs in. */
type Kind = {
  /** What goes on without it. */
  readonly outlives: DaemonUnderTest["outlives"];
  /** Limits that it does not hold, in the order of its health. */
  readonly unheld?: readonly UnheldLimit[];
};

/** How sandboxes start, live, end and are isolated on the daemon of a suite, with all profiles; everything else where that is wished. */
export function daemonStarts(name: string, suite: DaemonSuite, kind: Kind): void {
  if (config.wholeContracts) return daemonContract(name, suite, kind);
  const toUse = () => usable(suite);
  describe(name, () => {
    const bench = benchOf(toUse);
    sandboxLifeContract(bench, true);
    sandboxHostilityContract(bench, kind.unheld ?? []);
  });
  sandboxIsolationContract(name, ["strict", "default", "dev"], toUse, kind.unheld ?? []);
}

/** All that a backend must do, with all profiles, on the daemon of a suite. `name` is what tests are called by. */
export function daemonContract(name: string, suite: DaemonSuite, { outlives, unheld = [] }: Kind): void {
  const toUse = () => usable(suite);
  sandboxBackendContract(name, true, toUse, unheld);
  sandboxIsolationContract(name, ["strict", "default", "dev"], toUse, unheld);
  sandboxLossContract(name, async () => ({ ...(await killable(suite)), outlives }));
  sandboxGarbageContract(name, () => {
    const { host } = suite.daemon();
    const mounts = () => suite.daemon().mounts();
    return killedInDaemon({ kind: "helper", host, mounts, defaultImage: BUILT_IMAGE, rounds: 1, latestMs: 1000 });
  });
}

async function usable({ daemon, open, limits }: DaemonSuite) {
  const client = dockerClient(dockerEndpoint({ host: daemon().host }));
  const under = daemonUnderTest({
    client,
    open: async (installation) => open(installation),
    hostPath: import.meta.dirname,
    limits,
    dispose: async () => client.close(),
  });
  const leftovers = (installation: string) => leftInDaemon(client, installation, () => daemon().mounts());
  return { ...under, leftovers };
}

async function killable(suite: DaemonSuite) {
  const { daemon, open } = suite;
  const under = await usable(suite);
  return {
    ...under,
    open: async (installation: string) => open(installation, { waitMs: 0 }),
    killDaemon: () => daemon().kill(),
    startDaemon: () => daemon().start(),
    waiting: { open: under.open, says: /^Waiting for the Docker daemon at unix:/ },
  };
}
