import { relative } from "node:path";
import { tooManyFiles } from "../disk/workspace-disk.ts";
import { userNames } from "../local/etc-files.ts";
import { INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";
import { freeUser, ROOT } from "../sandbox-user.ts";
import type { SandboxdPrograms } from "../sandboxd-programs.ts";
import { DockerError } from "./docker-error.ts";
import type { MadeNames } from "../labels/made-names.ts";
import { LABEL } from "../labels/made-names.ts";
import type { VolumeFacts } from "./docker-shapes.ts";
import type { Filler, Filling } from "./fill-volumes.ts";
import { fillVolumes } from "./fill-volumes.ts";
import { isOurs, removeOwnContainer, removeOwnVolume, taken } from "./own-things.ts";
import { type ProgramsParts, programsVolume } from "./programs-volume.ts";

/** Volumes that are filled whole or not at all. */
export type DockerVolumes = ReturnType<typeof dockerVolumes>;

export type Workspace = {
  readonly conversationId: string;
  readonly seedDirectory: string | undefined;
  /** The user and group that a new workspace belongs to, unless another workspace has them. */
  readonly owner: number;
};

export function dockerVolumes(parts: ProgramsParts, sandboxd: SandboxdPrograms) {
  const { client, names } = parts;
  const programs = programsVolume(parts, sandboxd);
  const findWhole = async (volume: string): Promise<VolumeFacts | undefined> => {
    const [found, whole] = await Promise.all([client.findVolume(volume), client.findVolume(names.whole(volume))]);
    return whole === undefined || !isOurs(parts, whole) ? undefined : found;
  };
  /** Users of workspaces that are being made. */
  const giving = new Map<string, number>();
  const make = async (workspace: Workspace, filler: Filler): Promise<number> => {
    const { conversationId } = workspace;
    const taken = await usersTaken(parts, workspace.owner);
    const owner = freeUser(workspace.owner, new Set([...taken, ...giving.values()]));
    giving.set(conversationId, owner);
    try {
      const { product } = await parts.facts();
      const filling = workspaceFilling(names, { ...workspace, owner }, product === "Docker" && owner !== ROOT);
      await fillVolumes(parts, { ...filler, ...filling });
    } catch (thrown) {
      throw (thrown instanceof DockerError ? tooManyFiles(thrown.message) : undefined) ?? thrown;
    } finally {
      giving.delete(conversationId);
    }
    return owner;
  };
  return {
    /** The name of the volume that holds sandboxd, once one is filled. */
    programsName: programs.name,

    /** The volume that holds sandboxd, after it was filled if need be. */
    programs: programs.ensure,

    /** Settles once no programs are being filled in. Never rejects. */
    settled: programs.settled,

    /** Whether a volume was filled to its end. */
    isWhole: async (volume: string): Promise<boolean> => (await findWhole(volume)) !== undefined,

    hasWorkspace: async (conversationId: string): Promise<boolean> =>
      (await findWhole(names.workspace(conversationId))) !== undefined,

    /**
     * Makes the workspace with its first files unless it is there and whole. Gives the user that owns it: no other
     * workspace of the daemon has the same, but for root. @throws AppError `disk_full`, `sandbox_failed`, DockerError
     */
    workspace: async (workspace: Workspace, filler: Filler): Promise<number> => {
      const filled = await findWhole(names.workspace(workspace.conversationId));
      if (filled !== undefined) return Number(filled.labels[LABEL.owner] ?? SANDBOX_UID);
      const [other] = await removeWorkspace(parts, workspace.conversationId);
      if (other !== undefined) throw taken("volume", other);

      return make(workspace, filler);
    },

    /** The names of a workspace's volumes. */
    ofWorkspace: (conversationId: string) => {
      const workspace = names.workspace(conversationId);
      return { workspace, whole: names.whole(workspace), state: names.state(conversationId) };
    },

    /**
     * Where the daemon's machine has what says who a workspace's users are. Undefined: the image does, or Podman; so it is for root,
     * and with workspaces from before.
     */
    userNames: async (conversationId: string): Promise<string | undefined> => {
      const found = await client.findVolume(names.users(conversationId));
      return found !== undefined && isOurs(parts, found) ? found.directory : undefined;
    },

    removeWorkspace: async (conversationId: string): Promise<void> =>
      void (await removeWorkspace(parts, conversationId)),
  };
}

/** Gives the names that others have. */
async function removeWorkspace(parts: ProgramsParts, conversationId: string): Promise<readonly string[]> {
  const { names } = parts;
  const workspace = names.workspace(conversationId);
  // A server that was killed may have left it, and it would hold the volumes.
  await removeOwnContainer(parts, names.carrier(workspace));
  const others: string[] = [];
  const volumes = [names.whole(workspace), workspace, names.state(conversationId), names.users(conversationId)];
  for (const volume of volumes) if (!(await removeOwnVolume(parts, volume))) others.push(volume);
  return others;
}

/** Users of all workspaces in volumes, where there are so few that two conversations may have come to the same. */
async function usersTaken({ client, facts }: ProgramsParts, owner: number): Promise<readonly number[]> {
  if (owner === ROOT || !(await facts()).userNamespaces) return [];
  return (await client.listVolumes([LABEL.owner])).map(({ labels }) => Number(labels[LABEL.owner]));
}

/** `named`: with what says who its users are, which no sandbox can write to. */
function workspaceFilling(names: MadeNames, workspace: Workspace, named: boolean): Omit<Filling, keyof Filler> {
  const { conversationId, seedDirectory, owner } = workspace;
  const volume = names.workspace(conversationId);
  const state = names.state(conversationId);
  const files = Object.entries(userNames(owner)).map(([name, text]) => ({ name, text }));
  const users = { volume: names.users(conversationId), target: "/handrail-users", directories: ["."], files };
  return {
    carrier: names.carrier(volume),
    whole: names.whole(volume),
    labels: { ...names.labels(conversationId), [LABEL.owner]: String(owner) },
    owner,
    contents: [
      ...(named ? [users] : []),
      { volume: state, target: INSIDE.state, directories: [".", relative(INSIDE.state, INSIDE.home)] },
      { volume, target: INSIDE.workspace, directories: ["."], tree: seedDirectory },
    ],
  };
}
