import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Journal } from "@handrail/core/journal";
import { openSandbox } from "@handrail/core/open-sandbox";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import type { PrepareSeed } from "@handrail/core/ports/workspace-seed";
import type { EventOf } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import type { BackendName } from "@handrail/protocol/sources";
import { backendLoaders } from "@handrail/server/compose/adapters";
import { openInstallation } from "@handrail/server/compose/installation";
import { dockerClient } from "@handrail/sandboxes/docker/docker-client";
import { dockerEndpoint } from "@handrail/sandboxes/docker/docker-endpoint";
import { fillWorkspace } from "@handrail/sandboxes/fill-workspace";
import { canRunContainerd } from "@handrail/sandboxes/testing/containerd-daemon";
import { forgetInstallation } from "@handrail/sandboxes/testing/forget-installation";
import { readConfig } from "@handrail/server/config";
import { hostGit } from "@handrail/server/workspaces/git";
import { seedPreparer } from "@handrail/server/workspaces/prepare-seed";
import { startOwnContainerd } from "./own-containerd.ts";
import { newConversation, systemClock } from "./sample-events.ts";
import type { CriPlace } from "./sandbox-floors.ts";

/** How long a start may take; the first one of a backend may have an image to build. */
const START_MS = 60_000;
const FIRST_START_MS = 300_000;
/** A sandbox of the pool has loaded by then what its first command needs. */
const SPARE_WAITS_MS = 2000;
/** Backends that have started a sandbox. */
const proven = new Set<BackendName>();

/** `cri`: where the containerd of its sandboxes listens, and its handler for pods with a network, if that is known. */
export type OwnBackend = SandboxBackend & { readonly cri?: CriPlace };

/**
 * The server's own backend with this name, over a state directory of its own, without a way to the network. The caller
 * closes it. Where CONTAINERD_ADDRESS does not name a containerd, one of its own is started and ended with it.
 */
export async function ownBackend(name: BackendName, home: string): Promise<OwnBackend> {
  const given = process.env["CONTAINERD_ADDRESS"];
  if (name === "docker") return ownDocker(home);
  if (name !== "containerd") return openBackend(name, home, {});
  if (given !== undefined) return { ...(await openBackend(name, home, {})), cri: { address: given } };
  if (!(await canRunContainerd())) throw new Error("that takes root, containerd and CNI plugins");
  const daemon = await startOwnContainerd(home);
  try {
    const backend = await openBackend(name, home, { CONTAINERD_ADDRESS: daemon.address });
    const close = async () => {
      await backend.close();
      await daemon.dispose();
    };
    return { ...backend, cri: daemon, close };
  } catch (failure) {
    await daemon.dispose();
    throw failure;
  }
}

async function ownDocker(home: string): Promise<OwnBackend> {
  const backend = await openBackend("docker", home, {});
  const close = async () => {
    await backend.close();
    const client = dockerClient(dockerEndpoint({ host: process.env["DOCKER_HOST"] }));
    await forgetInstallation(client, await openInstallation(home)).finally(() => client.close());
  };
  return { ...backend, close };
}

async function openBackend(name: BackendName, home: string, more: Record<string, string>): Promise<SandboxBackend> {
  const env = { ...process.env, ...more, HANDRAIL_SANDBOX: name, HANDRAIL_LOG_LEVEL: "error" };
  const config = readConfig(["--home", home], env);
  const installation = await openInstallation(home);
  const load = backendLoaders(config, { installation }, async () => (_origin, stream) => stream.destroy())[name];
  if (load === undefined) throw new Error(`this server has no ${name} sandboxes`);
  const backend = await load();
  const { works, detail } = await backend.health(AbortSignal.timeout(10_000));
  if (works) return backend;
  await backend.close();
  throw new Error(detail);
}

export type Opened = { readonly journal: Journal; readonly sandbox: Sandbox };
export type Places = { readonly store: LogStore; readonly backend: OwnBackend; readonly home: string };

/** A new conversation with its sandbox started, as the server does at the first step. Its workspace is empty, or a clone. */
export async function openNew(places: Places, changes: Partial<EventOf<"conversation.created">> = {}): Promise<Opened> {
  const journal = await newConversation(places.store, places.backend.name, changes);
  return { journal, sandbox: await reopen(places, journal) };
}

/** The conversation's sandbox, started anew on its workspace if it does not run. */
export async function reopen({ backend, home }: Places, journal: Journal): Promise<Sandbox> {
  const prepareSeed: PrepareSeed = async (source, say, signal) => {
    if (source.type !== "empty") return cloner(home)(source, say, signal);
    const directory = join(home, "seeds", journal.state.id);
    await mkdir(directory, { recursive: true });
    return { directory, dispose: async () => undefined };
  };
  const parts = { journal, backend, prepareSeed, fillWorkspace, clock: systemClock };
  const sandbox = await openSandbox(parts, () => undefined, startLimit(backend));
  proven.add(backend.name);
  return sandbox;
}

/** The server's own way to a repository of this machine. */
export function cloner(home: string): PrepareSeed {
  const demoDirectory = join(home, "nonexistent");
  const git = hostGit(process.env);
  return seedPreparer({ git, directory: join(home, "seeds"), demoDirectory, home: demoDirectory, local: true });
}

/** A sandbox of a conversation that does not exist yet, as it waits in the server's pool; gives the id it will have. */
export async function waitingSpare(places: Pick<Places, "backend">): Promise<string> {
  const conversationId = await startSpare(places);
  await sleep(SPARE_WAITS_MS);
  return conversationId;
}

/** The same as soon as it answers. */
export async function startSpare({ backend }: Pick<Places, "backend">): Promise<string> {
  const conversationId = newId("c", Date.now());
  const choice = { backend: backend.name, network: { type: "none" } } as const;
  const spec = { conversationId, choice, seedDirectory: undefined };
  await backend.start(spec, () => undefined, startLimit(backend));
  return conversationId;
}

const startLimit = ({ name }: OwnBackend) => AbortSignal.timeout(proven.has(name) ? START_MS : FIRST_START_MS);

/** Runs `true` in the sandbox's main terminal. */
export async function runTrue(sandbox: Sandbox): Promise<void> {
  const args = { terminal: "main", command: "true", timeoutMs: 10_000, capBytes: 1000 };
  const options = { id: newId("k", Date.now()), signal: AbortSignal.timeout(20_000) };
  const { exitCode } = await sandbox.call("terminal.run", args, options);
  if (exitCode !== 0) throw new Error(`true ended with ${exitCode}`);
  sandbox.acknowledge([options.id]);
}
