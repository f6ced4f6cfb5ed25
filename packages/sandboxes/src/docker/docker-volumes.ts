import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { Readable } from "node:stream";
import { directoryHeaders, TAR_END, textEntry } from "../directory-tar.ts";
import { HOSTS, INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";
import type { SandboxdPrograms } from "../sandboxd-programs.ts";
import { unlessAborted } from "../shared-work.ts";
import type { TarTree } from "../tar-stream.ts";
import { tarStream } from "../tar-stream.ts";
import { carriedVolumes, carrierContainer } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";
import type { DockerNames } from "./docker-names.ts";
import { HOSTS_IN_PROGRAMS, LABEL } from "./docker-names.ts";
import type { DaemonInfo, VolumeFacts } from "./docker-shapes.ts";
import type { TextFile } from "./seccomp-files.ts";
import { SECCOMP_FILES } from "./seccomp-files.ts";

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
  /** Of everything in the volumes. */
  readonly owner: number;
  readonly contents: readonly Content[];
};

/** What goes into one volume. */
type Content = {
  readonly volume: string;
  /** Where it is mounted. */
  readonly target: string;
  /** Relative to it. */
  readonly directories: readonly string[];
  readonly files?: readonly TextFile[];
  /** A directory of this machine, whose files it gets. */
  readonly tree?: string | undefined;
};

type Parts = {
  readonly client: DockerClient;
  readonly names: DockerNames;
  readonly facts: () => Promise<DaemonInfo>;
};

/** The volume with the programs, and what the daemon's machine has it at; empty when the daemon does not say. */
export type ProgramsVolume = { readonly name: string; readonly directory: string };

/** What lies beside the programs. */
const FILES: readonly TextFile[] = [{ name: HOSTS_IN_PROGRAMS, text: HOSTS }, ...SECCOMP_FILES];

const FILL_PROGRAMS_MS = 300_000;

export function dockerVolumes(parts: Parts, programs: SandboxdPrograms) {
  const { client, names } = parts;
  const findWhole = async (volume: string): Promise<VolumeFacts | undefined> => {
    const [found, whole] = await Promise.all([client.findVolume(volume), client.findVolume(names.whole(volume))]);
    return whole === undefined ? undefined : found;
  };
  const programsName = async () => names.programs(programsVersion(await programs.version()));
  const fillPrograms = async (volume: string, imageId: string): Promise<VolumeFacts | undefined> => {
    const filled = await findWhole(volume);
    if (filled !== undefined) return filled;
    const filler = { imageId, signal: AbortSignal.timeout(FILL_PROGRAMS_MS) };
    await fill(parts, { ...filler, ...programsFilling(names, programs, volume) });
    return client.findVolume(volume);
  };
  let programsFilled: Promise<VolumeFacts | undefined> | undefined;
  return {
    /** The name of the volume that holds sandboxd, filled or not. */
    programsName,

    /** Whether they are being filled with programs now, through a container. */
    isFilling: () => programsFilled !== undefined,

    /** Whether a volume was filled to its end. */
    isWhole: async (volume: string): Promise<boolean> => (await findWhole(volume)) !== undefined,

    hasWorkspace: async (conversationId: string): Promise<boolean> =>
      (await findWhole(names.workspace(conversationId))) !== undefined,

    /** The volume that holds sandboxd, after it was filled if need be: once for all that wait for it. */
    programs: async ({ imageId, signal }: Filler): Promise<ProgramsVolume> => {
      const name = await programsName();
      programsFilled ??= fillPrograms(name, imageId).finally(() => (programsFilled = undefined));
      const filled = await unlessAborted(programsFilled, signal);
      return { name, directory: filled?.directory ?? "" };
    },

    /** Makes the workspace with its first files unless it is there and whole. Gives the user that owns it. */
    workspace: async (workspace: Workspace, filler: Filler): Promise<number> => {
      const volume = names.workspace(workspace.conversationId);
      const filled = await findWhole(volume);
      if (filled !== undefined) return Number(filled.labels[LABEL.owner] ?? SANDBOX_UID);
      await fill(parts, { ...filler, ...workspaceFilling(names, workspace) });
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

/** Changes with any byte of what the volume holds. */
function programsVersion(sandboxd: string): string {
  const names = SECCOMP_FILES.map(({ name }) => name);
  return createHash("sha256")
    .update(JSON.stringify([sandboxd, names]))
    .digest("hex")
    .slice(0, 12);
}

function programsFilling(names: DockerNames, programs: SandboxdPrograms, volume: string): Omit<Filling, keyof Filler> {
  return {
    volume,
    labels: { [LABEL.installation]: names.installation, [LABEL.programs]: volume },
    owner: 0,
    contents: [
      {
        volume,
        target: INSIDE.programs,
        directories: [dirname(HOSTS_IN_PROGRAMS)],
        files: FILES,
        tree: programs.directory,
      },
    ],
  };
}

function workspaceFilling(names: DockerNames, workspace: Workspace): Omit<Filling, keyof Filler> {
  const { conversationId, seedDirectory, owner } = workspace;
  const volume = names.workspace(conversationId);
  const state = names.state(conversationId);
  return {
    volume,
    labels: { ...names.labels(conversationId), [LABEL.owner]: String(owner) },
    owner,
    contents: [
      { volume: state, target: INSIDE.state, directories: [".", relative(INSIDE.state, INSIDE.home)] },
      { volume, target: INSIDE.workspace, directories: ["."], tree: seedDirectory },
    ],
  };
}

async function fill({ client, names, facts }: Parts, filling: Filling): Promise<void> {
  const { contents, labels, owner, signal, volume } = filling;
  const carrier = names.carrier(volume);
  await client.removeContainer(carrier);
  await client.removeVolume(names.whole(volume));
  for (const content of contents) await client.removeVolume(content.volume);
  const { product } = await facts();
  // Docker makes them with their container; Podman would forget the labels, and from version 5 on the owner.
  if (product === "Podman") {
    const options = { o: `uid=${owner},gid=${owner}` };
    await Promise.all(contents.map((content) => client.createVolume(content.volume, labels, options)));
  }
  const mounts = Object.fromEntries(contents.map((content) => [content.target, content.volume]));
  const spec = carrierContainer(filling.imageId, labels, carriedVolumes(labels, mounts));
  const id = await client.createContainer(carrier, spec);
  for (const { path, archive } of archivesFor(product, filling)) {
    await client.putArchive(id, { path, tar: archive, signal });
  }
  await client.removeContainer(id);
  await client.createVolume(names.whole(volume), labels);
}

type Archive = { readonly path: string; readonly archive: Readable };

/**
 * One archive for all volumes: each that Docker unpacks costs some 40 ms, whatever is in it. Podman unpacks into a volume
 * only what is meant for a path in it, so there each has its own.
 */
function archivesFor(product: DaemonInfo["product"], { contents, owner }: Filling): Iterable<Archive> {
  if (product === "Docker")
    return [{ path: "/", archive: archiveOf(contents, owner, ({ target }) => target.slice(1)) }];
  return contents.map((content) => ({ path: content.target, archive: archiveOf([content], owner, () => ".") }));
}

/** Trees come last: one brings the archive's end along. At most one content has one, the last. */
function archiveOf(contents: readonly Content[], owner: number, nameOf: (content: Content) => string): Readable {
  const headers = contents.flatMap((content) => [
    directoryHeaders(
      content.directories.map((path) => join(nameOf(content), path)),
      owner,
    ),
    ...(content.files ?? []).map(({ name, text }) => textEntry(join(nameOf(content), name), text, owner)),
  ]);
  const last = contents.at(-1);
  if (last?.tree === undefined) return Readable.from([...headers, TAR_END]);
  return Readable.from(withTree(Buffer.concat(headers), { directory: last.tree, name: nameOf(last), owner }));
}

async function* withTree(headers: Buffer, tree: TarTree): AsyncGenerator<Buffer> {
  yield headers;
  yield* tarStream(tree);
}
