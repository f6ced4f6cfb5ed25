import { dirname } from "node:path";
import { Readable } from "node:stream";
import { directoryHeaders, directoryTar, tarHeader, tarPadding } from "../directory-tar.ts";
import { HOSTS, INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";
import type { SandboxdPrograms } from "../sandboxd-programs.ts";
import { unlessAborted } from "../shared-work.ts";
import { tarStream } from "../tar-stream.ts";
import { carrierContainer } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";
import type { DockerNames } from "./docker-names.ts";
import { HOSTS_IN_PROGRAMS, LABEL } from "./docker-names.ts";
import type { VolumeFacts } from "./docker-shapes.ts";

/**
 * Volumes that are filled whole or not at all. The last thing that filling makes is an empty volume that says so: what
 * a killed server, or a request that the daemon gave up, left half made has none.
 */
export type DockerVolumes = ReturnType<typeof dockerVolumes>;

export type Workspace = {
  readonly conversationId: string;
  readonly seedDirectory: string | undefined;
  /** The user and group that a new workspace belongs to. */
  readonly owner: number;
};

/** What it takes to fill a volume. Any image serves, since nothing of it is run. */
export type Filler = { readonly imageId: string; readonly signal: AbortSignal };

type Filling = Filler & {
  /** The volume that decides whether the filling was done. */
  readonly volume: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Volumes by where they are mounted. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly archive: () => Readable;
};

/** The volume with the programs, and what the daemon's machine has it at; empty when the daemon does not say. */
export type ProgramsVolume = { readonly name: string; readonly directory: string };

const FILL_PROGRAMS_MS = 300_000;

export function dockerVolumes(client: DockerClient, names: DockerNames, programs: SandboxdPrograms) {
  const findWhole = async (volume: string): Promise<VolumeFacts | undefined> => {
    const [found, whole] = await Promise.all([client.findVolume(volume), client.findVolume(names.whole(volume))]);
    return whole === undefined ? undefined : found;
  };
  const fillPrograms = async (volume: string, imageId: string): Promise<VolumeFacts | undefined> => {
    const filled = await findWhole(volume);
    if (filled !== undefined) return filled;
    const filler = { imageId, signal: AbortSignal.timeout(FILL_PROGRAMS_MS) };
    await fill(client, names, { ...filler, ...programsFilling(names, programs, volume) });
    return client.findVolume(volume);
  };
  let programsFilled: Promise<VolumeFacts | undefined> | undefined;
  return {
    hasWorkspace: async (conversationId: string): Promise<boolean> =>
      (await findWhole(names.workspace(conversationId))) !== undefined,

    /** The volume that holds sandboxd, after it was filled if need be: once for all that wait for it. */
    programs: async ({ imageId, signal }: Filler): Promise<ProgramsVolume> => {
      const name = names.programs(await programs.version());
      programsFilled ??= fillPrograms(name, imageId).finally(() => (programsFilled = undefined));
      const filled = await unlessAborted(programsFilled, signal);
      return { name, directory: filled?.directory ?? "" };
    },

    /** Makes the workspace with its first files unless it is there and whole. Gives the user that owns it. */
    workspace: async (workspace: Workspace, filler: Filler): Promise<number> => {
      const volume = names.workspace(workspace.conversationId);
      const filled = await findWhole(volume);
      if (filled !== undefined) return Number(filled.labels[LABEL.owner] ?? SANDBOX_UID);
      await fill(client, names, { ...filler, ...workspaceFilling(names, workspace) });
      return workspace.owner;
    },

    /** The names of a workspace's volumes. */
    ofWorkspace: (conversationId: string) => {
      const workspace = names.workspace(conversationId);
      return { workspace, whole: names.whole(workspace), state: names.state(conversationId) };
    },

    removeWorkspace: async (conversationId: string): Promise<void> => {
      await client.removeVolume(names.whole(names.workspace(conversationId)));
      await client.removeVolume(names.workspace(conversationId));
      await client.removeVolume(names.state(conversationId));
    },
  };
}

function programsFilling(names: DockerNames, programs: SandboxdPrograms, volume: string): Omit<Filling, keyof Filler> {
  return {
    volume,
    labels: { [LABEL.installation]: names.installation, [LABEL.programs]: volume },
    mounts: { [INSIDE.programs]: volume },
    archive: () => Readable.from(withHosts(programs.directory, INSIDE.programs.slice(1))),
  };
}

function workspaceFilling(names: DockerNames, workspace: Workspace): Omit<Filling, keyof Filler> {
  const { conversationId, seedDirectory, owner } = workspace;
  const directories = [INSIDE.workspace, INSIDE.state, INSIDE.home].map((path) => path.slice(1));
  const volume = names.workspace(conversationId);
  return {
    volume,
    labels: { ...names.labels(conversationId), [LABEL.owner]: String(owner) },
    mounts: { [INSIDE.workspace]: volume, [INSIDE.state]: names.state(conversationId) },
    archive: () =>
      seedDirectory === undefined
        ? Readable.from([directoryTar(directories, owner)])
        : Readable.from(withSeed(directoryHeaders(directories, owner), seedDirectory, owner)),
  };
}

async function* withHosts(directory: string, name: string): AsyncGenerator<Buffer> {
  const content = Buffer.from(HOSTS);
  yield directoryHeaders([`${name}/${dirname(HOSTS_IN_PROGRAMS)}`], 0);
  yield tarHeader({ name: `${name}/${HOSTS_IN_PROGRAMS}`, type: "file", bytes: content.length, mode: 0o644 });
  yield Buffer.concat([content, tarPadding(content.length)]);
  yield* tarStream({ directory, name, owner: 0 });
}

/** One archive for both: each that the daemon unpacks costs some 40 ms, whatever is in it. */
async function* withSeed(headers: Buffer, directory: string, owner: number): AsyncGenerator<Buffer> {
  yield headers;
  yield* tarStream({ directory, name: INSIDE.workspace.slice(1), owner });
}

async function fill(client: DockerClient, names: DockerNames, filling: Filling): Promise<void> {
  const carrier = names.carrier(filling.volume);
  await client.removeContainer(carrier);
  await client.removeVolume(names.whole(filling.volume));
  for (const volume of Object.values(filling.mounts)) await client.removeVolume(volume);
  const spec = carrierContainer(filling.imageId, filling.labels, filling.mounts);
  const id = await client.createContainer(carrier, spec);
  await client.putArchive(id, filling.archive(), filling.signal);
  await client.removeContainer(id);
  await client.createVolume(names.whole(filling.volume), filling.labels);
}
