import { readdir } from "node:fs/promises";
import type { KeptConversations } from "@handrail/core/ports/sandbox";
import { LABEL } from "../labels/made-names.ts";
import { conversationPlace, isConversationName } from "../local/conversation-place.ts";
import { unmountDisk } from "../disk/mounted-disk.ts";
import { tryEach } from "../try-each.ts";
import type { ContainerdParts } from "./containerd-backend.ts";
import type { Container, Pod } from "./cri-shapes.ts";
import { removeScratch } from "./scratch.ts";

/** What of a backend it takes. */
export type CollectParts = Pick<ContainerdParts, "starting" | "scratchDirectory" | "scratchOf"> & {
  readonly client: Pick<ContainerdParts["client"], "listPods" | "listContainers" | "removePod">;
  readonly names: Pick<ContainerdParts["names"], "installation" | "isAtWork">;
};

/**
 * Removes pods whose conversation is not kept, those whose sandbox has ended by itself, and those that servers were at work
 * with that were killed; and directories that such servers made before there was a pod.
 */
export async function collectPods(parts: CollectParts, keep: KeptConversations): Promise<void> {
  const { client, names } = parts;
  const ours = { [LABEL.installation]: names.installation };
  const [pods, containers] = await Promise.all([client.listPods(ours), client.listContainers(ours)]);
  const leftovers = () =>
    tryEach(pods.filter(leftAmong(parts, containers, keep)), async (pod) => {
      const sandboxId = pod.labels[LABEL.sandbox];
      await client.removePod(pod.id);
      if (sandboxId !== undefined) await removeScratch(parts.scratchOf(sandboxId));
    });
  await tryEach([leftovers, () => collectScratch(parts, pods)], (part) => part());
}

function leftAmong({ starting, names }: CollectParts, containers: readonly Container[], keep: KeptConversations) {
  const inState = (wanted: Container["state"]) =>
    new Set(containers.filter(({ state }) => state === wanted).map(({ podSandboxId }) => podSandboxId));
  const [running, ended] = [inState("CONTAINER_RUNNING"), inState("CONTAINER_EXITED")];
  return ({ id, labels, createdAt }: Pod): boolean => {
    const conversation = labels[LABEL.conversation];
    if (starting.has(labels[LABEL.sandbox] ?? "")) return false;
    if (conversation !== undefined && (!keep.has(conversation) || ended.has(id))) return true;
    // A pod that is asked something may run or have ended; a sandbox without a container may be one that is being started.
    const isSandbox = conversation !== undefined && running.has(id);
    return !isSandbox && !names.isAtWork({ labels, state: "", createdAtMs: createdAt / 1e6 }, Date.now());
  };
}

/** Scratch directories of servers that were killed while they started a sandbox that no pod was made for. */
async function collectScratch(parts: CollectParts, pods: readonly Pod[]): Promise<void> {
  const known = new Set([...parts.starting, ...pods.map(({ labels }) => labels[LABEL.sandbox])]);
  const names = await readdir(parts.scratchDirectory).catch(() => []);
  await tryEach(
    names.filter((name) => !known.has(name)),
    (name) => removeScratch(parts.scratchOf(name)),
  );
}

/** Mounts that a killed server left while it started a sandbox. */
export async function collectMounts({ mounting }: Pick<ContainerdParts, "mounting">, directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  await tryEach(
    names.filter((one) => isConversationName(one) && !mounting.has(one)),
    (name) => unmountDisk(conversationPlace(directory, name).disk),
  );
}
