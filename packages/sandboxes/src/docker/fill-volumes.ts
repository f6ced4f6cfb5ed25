import { join } from "node:path";
import { Readable } from "node:stream";
import { directoryHeaders, TAR_END, textEntry } from "../directory-tar.ts";
import type { TarTree } from "../tar-stream.ts";
import { tarStream } from "../tar-stream.ts";
import { carriedVolumes, carrierContainer } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";
import type { MadeNames } from "../labels/made-names.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import { makeVolume } from "./own-things.ts";
import type { TextFile } from "./seccomp-files.ts";

/** What it takes to fill a volume. Any image serves, since nothing of it is run. */
export type Filler = { readonly imageId: string; readonly signal: AbortSignal };

export type Filling = Filler & {
  /** The container through which they are filled. */
  readonly carrier: string;
  /** The volume that says that all is there. */
  readonly whole: string;
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

export type FillParts = {
  readonly client: DockerClient;
  readonly names: Pick<MadeNames, "madeHere">;
  readonly facts: () => Promise<DaemonInfo>;
};

/**
 * Makes volumes with what is to be in them. The last thing that is made is an empty volume that says that all is there:
 * what a killed server, or a request that the daemon gave up, left half made has none.
 */
export async function fillVolumes({ client, names, facts }: FillParts, filling: Filling): Promise<void> {
  const { contents, labels, owner, signal } = filling;
  const { product } = await facts();
  // Docker makes them with their container; Podman would forget the labels, and from version 5 on the owner.
  if (product === "Podman") {
    const options = { o: `uid=${owner},gid=${owner}` };
    await Promise.all(contents.map((content) => makeVolume(client, content.volume, labels, options)));
  }
  const mounts = Object.fromEntries(contents.map((content) => [content.target, content.volume]));
  const own = { ...labels, ...names.madeHere() };
  const spec = carrierContainer(filling.imageId, own, carriedVolumes(labels, mounts));
  const id = await client.createContainer(filling.carrier, spec);
  try {
    for (const { path, archive } of archivesFor(product, filling)) {
      await client.putArchive(id, { path, tar: archive, signal });
    }
    // While they are in use: nobody takes them for left over.
    await makeVolume(client, filling.whole, labels);
  } catch (thrown) {
    await client.removeContainer(id).catch(() => undefined);
    throw thrown;
  }
  await client.removeContainer(id);
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
