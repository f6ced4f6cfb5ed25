import { cp, mkdtemp, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BUILT_IMAGE, rootImage } from "../containerd/containerd-images.ts";
import { criClient } from "../containerd/cri-client.ts";
import type { Importer } from "../containerd/import-image.ts";
import { importerOf, importImage } from "../containerd/import-image.ts";
import { buildRoot } from "../image/build-root.ts";
import { cacheDirectoryOr } from "../image/cache-directory.ts";
import { recipeTag } from "../image/image-recipe.ts";
import { config } from "./config.ts";
import type { ContainerdDaemon, DaemonWish } from "./containerd-daemon.ts";
import { startContainerd } from "./containerd-daemon.ts";

const PREFIX = "containerd-";

/** What containerd never changes once it is there, by far the most of its root. */
const UNCHANGING = [
  "io.containerd.content.v1.content/blobs/sha256",
  "io.containerd.snapshotter.v1.overlayfs/snapshots",
];

/** The runtime that the environment names, or a containerd of the tests' own that has the default image. */
export async function runtimeUnderTest(): Promise<ContainerdDaemon> {
  const { containerdAddress } = config;
  if (containerdAddress === undefined) return startContainerdWithImage();
  const notOurs = async () => Promise.reject(new Error("The runtime that was given is not the tests' to end."));
  return { address: containerdAddress, kill: notOurs, restart: notOurs, dispose: async () => undefined };
}

/** What hands images to a runtime that takes them. */
export async function importerTo({ address }: ContainerdDaemon): Promise<Importer> {
  const client = criClient(address);
  try {
    const { runtimeName } = await client.version(AbortSignal.timeout(20_000));
    const importer = await importerOf(runtimeName, address);
    if (importer === undefined) throw new Error(`Nothing hands images to ${runtimeName} here.`);
    return importer;
  } finally {
    client.close();
  }
}

/** Starts a containerd that has the default image. */
export async function startContainerdWithImage(wish: Omit<DaemonWish, "root"> = {}): Promise<ContainerdDaemon> {
  const root = await mkdtemp("/tmp/hr-cd-root-");
  const removeRoot = () => rm(root, { recursive: true, force: true, maxRetries: 10 });
  try {
    await copyRoot(await rootWithImage(() => undefined), root);
    const daemon = await startContainerd({ ...wish, root });
    const dispose = async () => {
      await daemon.dispose();
      await removeRoot();
    };
    return { ...daemon, dispose };
  } catch (failure) {
    await removeRoot();
    throw failure;
  }
}

/**
 * The root directory of a containerd that has the default image, in the cache directory: importing it takes half a
 * minute, so it is done once. Daemons start on copies of it (`copyRoot`), never on itself.
 */
export async function rootWithImage(onProgress: (text: string) => void): Promise<string> {
  const cacheDirectory = cacheDirectoryOr(undefined);
  const name = `${PREFIX}${recipeTag()}`;
  const root = join(cacheDirectory, name);
  if (await isThere(root)) return root;
  const { signal } = new AbortController();
  const tarFile = await buildRoot({ cacheDirectory, onProgress, signal });
  await forgetOthers(cacheDirectory, name);
  onProgress("Handing the default image to a containerd for tests. This takes half a minute, once.");
  const making = await mkdtemp(join(cacheDirectory, "making-containerd-"));
  try {
    const daemon = await startContainerd({ root: join(making, "root") });
    try {
      await importImage(await importerTo(daemon), await rootImage(BUILT_IMAGE, tarFile), signal);
    } finally {
      await daemon.dispose();
    }
    await keep(join(making, "root"), root);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return root;
}

/** A root directory as `from` is, which is not changed by what is done to the copy. Takes milliseconds. */
async function copyRoot(from: string, to: string): Promise<void> {
  const links = new Set(UNCHANGING.map((path) => join(from, path)));
  const filter = async (source: string, target: string): Promise<boolean> => {
    if (!links.has(dirname(source))) return true;
    await symlink(source, target);
    return false;
  };
  await cp(from, to, { recursive: true, filter });
}

/** Another run may have made the same in the meantime. */
async function keep(made: string, root: string): Promise<void> {
  try {
    await rename(made, root);
  } catch (thrown) {
    if (!(await isThere(root))) throw thrown;
  }
}

/** Roots with images of earlier recipes. */
async function forgetOthers(cacheDirectory: string, name: string): Promise<void> {
  const isOld = (entry: string) => /^containerd-[0-9a-f]{12}$/.test(entry) && entry !== name;
  const old = (await readdir(cacheDirectory)).filter(isOld);
  await Promise.all(old.map((entry) => rm(join(cacheDirectory, entry), { recursive: true, force: true })));
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
