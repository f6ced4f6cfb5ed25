import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import type { GarbageUnderTest, Strangers } from "@handrail/core/testing/sandbox-garbage-contract";
import { containerdBackend } from "../containerd/containerd-backend.ts";
import { dockerBackend } from "../docker/docker-backend.ts";
import { noneBackend } from "../none/none-backend.ts";
import { processBackend } from "../process/process-backend.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { leftInDirectory } from "./leftovers.ts";
import { strangeDirectories, together } from "./strangers.ts";
import { builtPrograms } from "./test-programs.ts";

/** Which sandboxes are started and ended again and again. */
export type ChurnWish = {
  /** Those of Docker: with disks that the server mounts, with disks that its helper mounts (`helper`), and without any. */
  readonly kind: "none" | "process" | "docker" | "helper" | "volumes" | "containerd";
  readonly directory: string;
  readonly installation: string;
  /** Where containerd is. */
  readonly address?: string;
  /** Where Docker is; undefined: where tests have it. */
  readonly host?: string;
  /** Docker's image; undefined: the one that is built here. */
  readonly defaultImage?: string;
  /** A directory with the first files of each conversation. */
  readonly seed?: string;
};

/** The backend that a wish is for, as a server opens it. */
export function openChurned({ kind, directory, installation, address, host, defaultImage }: ChurnWish): SandboxBackend {
  const limits = { diskBytes: 64 * 1024 ** 2 };
  const common = { installation, sandboxdDirectory: builtPrograms(), egress: () => undefined, limits };
  if (kind === "none") return noneBackend({ ...common, directory });
  if (kind === "process") return processBackend({ ...common, directory });
  if (kind === "containerd") return containerdBackend({ ...common, directory, address });
  const disks = { diskHelper: kind === "helper", ...(kind === "docker" && { directory }) };
  return dockerBackend({ ...common, host: host ?? DOCKER_HOST, defaultImage, ...disks });
}

export type KilledServers = Pick<ChurnWish, "kind" | "address" | "host" | "defaultImage"> &
  Pick<GarbageUnderTest, "rounds" | "latestMs" | "halfMade" | "surroundings"> & {
    /** What is left of an installation beside what every kind leaves on this machine; without what stays. */
    readonly others: (installation: string, directory: string) => Promise<Readonly<Record<string, readonly unknown[]>>>;
    /** Strangers beside those in the directory. Absent: there are none. */
    readonly strangers?: GarbageUnderTest["strangers"];
    readonly dispose?: () => Promise<void>;
  };

/** Servers that are killed at any moment while they start and end sandboxes, each installation with its own directory. */
export async function killedServers({ rounds, latestMs, others, ...more }: KilledServers): Promise<GarbageUnderTest> {
  const home = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
  const { strangers, halfMade, surroundings, dispose, ...wish } = more;
  const directoryOf = (installation: string) => join(home, installation);
  const wishOf = (installation: string) => ({ ...wish, installation, directory: directoryOf(installation) });
  return {
    rounds,
    latestMs,
    halfMade,
    surroundings,
    open: async (installation) => openChurned(wishOf(installation)),
    churn: async (installation) => {
      const server = startChurn(wishOf(installation));
      await once(server.stdout, "data");
      return {
        kill: async (afterMs) => {
          await delay(afterMs);
          server.kill("SIGKILL");
          await once(server, "exit");
        },
      };
    },
    leftovers: async (installation) => ({
      ...leftInDirectory(directoryOf(installation)),
      ...(await others(installation, directoryOf(installation))),
    }),
    strangers: async (installation, conversationId): Promise<Strangers> =>
      together([
        await strangeDirectories(directoryOf(installation), conversationId),
        ...(strangers === undefined ? [] : [await strangers(installation, conversationId)]),
      ]),
    within: (timeoutMs) => AbortSignal.timeout(timeoutMs),
    dispose: async () => {
      await dispose?.();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A server that starts and ends sandboxes. It says so before it begins. */
export function startChurn(wish: ChurnWish): ChildProcessByStdio<null, Readable, null> {
  const program = join(import.meta.dirname, "churn-sandboxes.ts");
  return spawn(process.execPath, [program, JSON.stringify(wish)], { stdio: ["ignore", "pipe", "inherit"] });
}
