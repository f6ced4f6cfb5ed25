import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Journal } from "@handrail/core/journal";
import { openSandbox } from "@handrail/core/open-sandbox";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import { newId } from "@handrail/protocol/ids";
import type { BackendName } from "@handrail/protocol/sources";
import { backendLoaders } from "@handrail/server/compose/adapters";
import { readConfig } from "@handrail/server/config";
import { newConversation, systemClock } from "./sample-events.ts";

/** The server's own backend with this name, over a state directory of its own, without a way to the network. The caller closes it. */
export async function ownBackend(name: BackendName, home: string): Promise<SandboxBackend> {
  const config = readConfig(["--home", home], { ...process.env, HANDRAIL_SANDBOX: name, HANDRAIL_LOG_LEVEL: "error" });
  const load = backendLoaders(config, async () => (_origin, stream) => stream.destroy())[name];
  if (load === undefined) throw new Error(`this server has no ${name} sandboxes`);
  const backend = await load();
  const { works, detail } = await backend.health(AbortSignal.timeout(10_000));
  if (works) return backend;
  await backend.close();
  throw new Error(detail);
}

export type Opened = { readonly journal: Journal; readonly sandbox: Sandbox };
export type Places = { readonly store: LogStore; readonly backend: SandboxBackend; readonly home: string };

/** A new conversation with its sandbox started on an empty workspace, as the server does at the first step. */
export async function openNew({ store, backend, home }: Places): Promise<Opened> {
  const journal = await newConversation(store, backend.name);
  const prepareSeed = async () => {
    const directory = join(home, "seeds", journal.state.id);
    await mkdir(directory, { recursive: true });
    return { directory, dispose: async () => undefined };
  };
  const parts = { journal, backend, prepareSeed, clock: systemClock };
  const sandbox = await openSandbox(parts, () => undefined, AbortSignal.timeout(300_000));
  return { journal, sandbox };
}

/** Runs `true` in the sandbox's main terminal. */
export async function runTrue(sandbox: Sandbox): Promise<void> {
  const args = { terminal: "main", command: "true", timeoutMs: 10_000, capBytes: 1000 };
  const options = { id: newId("k", Date.now()), signal: AbortSignal.timeout(20_000) };
  const { exitCode } = await sandbox.call("terminal.run", args, options);
  if (exitCode !== 0) throw new Error(`true ended with ${exitCode}`);
  sandbox.acknowledge([options.id]);
}
