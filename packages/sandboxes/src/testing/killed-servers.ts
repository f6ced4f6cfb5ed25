import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { KeptConversations, SandboxBackend } from "@handrail/core/ports/sandbox";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished } from "vitest";
import { containerdBackend } from "../containerd/containerd-backend.ts";
import { dockerBackend } from "../docker/docker-backend.ts";
import { processBackend } from "../process/process-backend.ts";
import { DOCKER_HOST } from "./docker-daemon.ts";
import { builtPrograms } from "./test-programs.ts";
import { textOf } from "./text-of.ts";

/** Which sandboxes are started and ended again and again. */
export type ChurnWish = {
  /** Those of Docker: with disks that the server mounts, with disks that its helper mounts (`helper`), and without any. */
  readonly kind: "process" | "docker" | "helper" | "volumes" | "containerd";
  readonly directory: string;
  readonly installation: string;
  /** Where containerd is. */
  readonly address?: string;
  /** Where Docker is; undefined: where tests have it. */
  readonly host?: string;
  /** A directory with the first files of each conversation. */
  readonly seed?: string;
};

/** The backend that a wish is for, as a server opens it. */
export function openChurned({ kind, directory, installation, address, host }: ChurnWish): SandboxBackend {
  const limits = { diskBytes: 64 * 1024 ** 2 };
  const common = { installation, sandboxdDirectory: builtPrograms(), egress: () => undefined, limits };
  if (kind === "process") return processBackend({ ...common, directory });
  if (kind === "containerd") return containerdBackend({ ...common, directory, address });
  const disks = { diskHelper: kind === "helper", ...(kind === "docker" && { directory }) };
  return dockerBackend({ ...common, host: host ?? DOCKER_HOST, ...disks });
}

export type KilledServers = Pick<ChurnWish, "kind" | "address"> & {
  readonly rounds: number;
  /** The last moment at which a server is killed, in milliseconds from its first start of a sandbox. */
  readonly latestMs: number;
  /** What is left of the installation beside what every kind leaves on this machine, by kind of thing; without what stays. */
  readonly others: (installation: string, directory: string) => Promise<Readonly<Record<string, readonly unknown[]>>>;
  /** What there is of conversations that go on which is no sandbox, nor what the next one will start on. */
  readonly halfMade: (installation: string) => Promise<readonly unknown[]>;
};

/** More than are made before a server is killed. */
const ALL = new Set(Array.from({ length: 1000 }, (_, round) => churnedConversation(round)));

/**
 * Kills servers at any moment while they start and end sandboxes, and expects that nothing is left of them after the next
 * one has tidied up: at once, or after a daemon has ended what it was asked for before. First with conversations that go on,
 * of which sandboxes that run and workspaces are left, then without.
 */
export async function expectNothingLeft({ rounds, latestMs, others, halfMade, ...more }: KilledServers): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-garbage-"));
  const wish: ChurnWish = { ...more, directory, installation: `t${newId("x", Date.now()).slice(-8)}` };
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const collect = async (keep: KeptConversations) => {
    const next = openChurned(wish);
    await next.collect(keep);
    await next.close();
  };
  const kept = async () => {
    await collect(ALL);
    return halfMade(wish.installation);
  };
  const tidied = async () => {
    await collect(new Set());
    const left = { ...(await leftHere(directory)), ...(await others(wish.installation, directory)) };
    return Object.entries(left).filter(([, things]) => things.length > 0);
  };
  for (let round = 0; round < rounds; round++) {
    await killedAfter(Math.random() * latestMs, wish);
    await expect.poll(kept).toEqual([]);
    await expect.poll(tidied).toEqual([]);
  }
}

async function killedAfter(ms: number, wish: ChurnWish): Promise<void> {
  const server = startChurn(wish);
  await once(server.stdout, "data");
  await delay(ms);
  server.kill("SIGKILL");
  await once(server, "exit");
}

/** The conversations of such a server, from the first on. */
export function churnedConversation(round: number): string {
  return `c_${String(round).padStart(20, "0")}`;
}

/** A server that starts and ends sandboxes. It says so before it begins. */
export function startChurn(wish: ChurnWish): ChildProcessByStdio<null, Readable, null> {
  const program = join(import.meta.dirname, "churn-sandboxes.ts");
  return spawn(process.execPath, [program, JSON.stringify(wish)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Conversations' directories, loop devices and mounts. */
async function leftHere(directory: string) {
  const names = await readdir(directory).catch(() => []);
  const mounts = textOf("/proc/self/mountinfo").split("\n");
  return {
    conversations: names.filter((name) => name.startsWith("c_") || name.startsWith("probe-")),
    scratch: await readdir(join(directory, "scratch")).catch(() => []),
    disks: filesOfLoops().filter((file) => file.includes(directory)),
    mounts: mounts.filter((line) => line.includes(directory)),
  };
}

/** Files that loop devices of this machine have open. */
export function filesOfLoops(): readonly string[] {
  const files = readdirSync("/sys/block").map((name) => textOf(`/sys/block/${name}/loop/backing_file`).trim());
  return files.filter((file) => file !== "");
}
