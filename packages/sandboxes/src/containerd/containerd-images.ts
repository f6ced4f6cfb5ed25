import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import { TAR_END, tarHeader, tarPadding } from "../directory-tar.ts";
import { buildRoot, canBuildRoot } from "../image/build-root.ts";
import { IMAGE_REPOSITORY, recipeTag } from "../image/image-recipe.ts";
import type { ImageSource, ImageWish } from "../image/image-wish.ts";
import { once } from "../once.ts";
import { sharedWork } from "../shared-work.ts";
import type { CriClient } from "./cri-client.ts";
import { CriError, firstWords } from "./cri-error.ts";
import type { ImageParts } from "./image-archive.ts";
import type { Importer } from "./import-image.ts";
import { importerOf, importImage } from "./import-image.ts";
import { pullReport } from "../pull-report.ts";
import { tellTransfers } from "./tell-transfers.ts";
import { pauseProgram } from "./pause-program.ts";

/** The default image as CRI knows it: names without a registry mean different ones to different runtimes. */
export const BUILT_IMAGE = `docker.io/${IMAGE_REPOSITORY}:${recipeTag()}`;

/** What `sandbox_image` in the runtime's configuration may name, so that no registry is needed. */
export const PAUSE_IMAGE = "docker.io/handrail/pause:1";

/** The environment that an image gives to programs: the places of Debian's. */
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const READ_BYTES = 1024 * 1024;
const KNOWN_WITHIN_MS = 10_000;

/** `volumes`: paths that it calls so. */
export type PresentImage = { readonly reference: string; readonly volumes: readonly string[] };

export type ContainerdImages = {
  /** An image that is there, after pulling or building it if need be. */
  ensure(wish: ImageWish): Promise<PresentImage>;
  /** Hands the pause image over unless it is there: then true. A runtime that takes no images from us is left alone. */
  ensurePause(signal: AbortSignal): Promise<boolean>;
};

/** A build goes on when those who wait for it give up, until `closing`. */
export function containerdImages(
  client: CriClient,
  source: ImageSource & { readonly socketPath: string },
  closing: AbortSignal,
): ContainerdImages {
  const importer = once(async () => importerOf((await client.version(closing)).runtimeName, source.socketPath));
  const hand = async (image: ImageParts, signal: AbortSignal) => {
    const by = await importer();
    if (by !== undefined) await handOver(client, by, image, signal);
    return by !== undefined;
  };
  const build = sharedWork(async (onProgress) => {
    const image = await builtImage(source.cacheDirectory, onProgress, closing);
    onProgress("Handing the default image to the container runtime.");
    await hand(image, closing);
  });
  const volumesOf = volumesByImage(client);
  const obtained = async (reference: string, wish: ImageWish) => {
    if (reference !== BUILT_IMAGE) return pulled(client, reference, wish);
    if ((await importer()) === undefined || !(await canBuildRoot())) return pulled(client, source.fallbackImage, wish);
    await build.join(wish.onProgress, wish.signal);
    return reference;
  };
  return {
    ensure: async (wish) => {
      const wanted = wish.image ?? source.defaultImage ?? BUILT_IMAGE;
      const found = await client.findImage(wanted, wish.signal);
      const reference = found === undefined ? await obtained(wanted, wish) : wanted;
      return { reference, volumes: await volumesOf(reference, found, wish.signal) };
    },
    ensurePause: async (signal) => {
      const found = await client.findImage(PAUSE_IMAGE, signal);
      return found === undefined && hand(pauseImage(), signal);
    },
  };
}

/** Asked for once of each image: what is said of one does not change as long as its id is the same. */
export function volumesByImage(client: Pick<CriClient, "findImage" | "imageVolumes">) {
  const known = new Map<string, readonly string[]>();
  return async (reference: string, found: string | undefined, signal: AbortSignal): Promise<readonly string[]> => {
    const id = found ?? (await client.findImage(reference, signal));
    const before = id === undefined ? undefined : known.get(id);
    if (before !== undefined) return before;
    const volumes = await client.imageVolumes(reference, signal);
    if (id !== undefined) known.set(id, volumes);
    return volumes;
  };
}

async function builtImage(cacheDirectory: string, onProgress: (text: string) => void, signal: AbortSignal) {
  const tarFile = await buildRoot({ cacheDirectory, onProgress, signal });
  return rootImage(BUILT_IMAGE, tarFile);
}

/** An image whose root file system is an uncompressed tar. */
export async function rootImage(reference: string, tarFile: string): Promise<ImageParts> {
  const { size } = await stat(tarFile);
  const content = createReadStream(tarFile, { highWaterMark: READ_BYTES });
  return { reference, config: { Cmd: ["bash"], Env: [PATH] }, layer: { bytes: size, content } };
}

function pauseImage(): ImageParts {
  const program = pauseProgram(process.arch === "arm64" ? "arm64" : "x64");
  const header = tarHeader({ name: "pause", type: "file", bytes: program.length, mode: 0o755 });
  const tar = Buffer.concat([header, program, tarPadding(program.length), TAR_END]);
  return { reference: PAUSE_IMAGE, config: { Entrypoint: ["/pause"] }, layer: { bytes: tar.length, content: [tar] } };
}

/**
 * Imports an image and waits until CRI knows it, which it learns from an event that nobody else gets to see. Another server
 * may do the same at the same time: then one of them is told that it is there already.
 */
export async function handOver(
  client: Pick<CriClient, "findImage">,
  importer: Importer,
  image: ImageParts,
  signal: AbortSignal,
): Promise<void> {
  if (importer === undefined) throw unknown(image.reference);
  await importImage(importer, image, signal).catch(unlessThere);
  const until = performance.now() + KNOWN_WITHIN_MS;
  while ((await client.findImage(image.reference, signal)) === undefined) {
    if (performance.now() > until) throw unknown(image.reference);
    await delay(20, undefined, { signal });
  }
}

function unlessThere(thrown: unknown): void {
  if (!(thrown instanceof AppError && /already exists/.test(thrown.message))) throw thrown;
}

async function pulled(client: CriClient, reference: string, wish: ImageWish): Promise<string> {
  wish.onProgress(`Pulling image ${reference}.`);
  const ended = new AbortController();
  const telling = tellTransfers(client, pullReport(reference, wish.onProgress), ended.signal);
  try {
    await client.pullImage(reference, wish.signal);
    return reference;
  } catch (thrown) {
    if (!(thrown instanceof CriError)) throw thrown;
    const reason = firstWords(thrown.message);
    const message = `The image ${reference} is not on this machine and could not be pulled (${reason}). Check its name, make it available with ctr -n k8s.io images import, or choose another image.`;
    throw new AppError("image_unavailable", message, { reference, reason }, { cause: thrown });
  } finally {
    ended.abort();
    await telling;
  }
}

function unknown(reference: string): AppError {
  return new AppError("image_unavailable", `The image ${reference} is not there after it was handed over.`, {
    reference,
  });
}
