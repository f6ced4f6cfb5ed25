import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "@handrail/protocol/errors";
import { buildRoot, canBuildRoot } from "../image/build-root.ts";
import { recipeTag } from "../image/image-recipe.ts";
import type { SharedWork } from "../shared-work.ts";
import { sharedWork } from "../shared-work.ts";

const PREFIX = "sandbox-root-";
/** What a server that was killed left half unpacked, some 700 MB, begins with it; its number comes next. */
const MAKING = "making-root-";

/** The default image's root file system as a tree, which sandboxes that are root change copies of. */
export type SystemTree = {
  /** Its path. Owners in it are those of the image. */
  readonly path: string;
  /** Makes it unless it is there. Rejects as `buildRoot` does. */
  readonly make: SharedWork["join"];
};

export function systemTree(cacheDirectory: string): SystemTree {
  // Programs in it are set-user-ID root: only root gets to them, through the directory around the tree.
  const around = join(cacheDirectory, `${PREFIX}${recipeTag()}`);
  const path = join(around, "root");
  const { signal } = new AbortController();
  const work = sharedWork(async (onProgress) => {
    const tarFile = await buildRoot({ cacheDirectory, onProgress, signal });
    onProgress("Unpacking the default image. This takes some seconds, once.");
    await unpack(tarFile, cacheDirectory, around);
  });
  return { path, make: async (...wait) => ((await isThere(path)) ? undefined : work.join(...wait)) };
}

/** Why sandboxes cannot be root of a system of their own here; undefined: they can. `disks`: workspaces are bounded. */
export async function whyNoOwnSystem(disks: boolean, tree: SystemTree): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "it takes a server that runs as root";
  if (!disks) return "it takes disks in files, which this machine cannot mount";
  if ((await isThere(tree.path)) || (await canBuildRoot())) return undefined;
  return "it takes the default image, for which mmdebstrap has to be installed";
}

/** @throws AppError `backend_unavailable` */
export function noOwnSystem(why: string): AppError {
  const message = `Process sandboxes do not have the profile dev here: ${why}. Use the docker backend, or another profile.`;
  return new AppError("backend_unavailable", message, { profile: "dev" });
}

async function unpack(tarFile: string, cacheDirectory: string, around: string): Promise<void> {
  await forgetUnfinished(cacheDirectory);
  const making = await mkdtemp(join(cacheDirectory, `${MAKING}${process.pid}-`));
  try {
    await mkdir(join(making, "root"));
    await promisify(execFile)("tar", ["-x", "-p", "--numeric-owner", "-f", tarFile, "-C", join(making, "root")]);
    await forgetOthers(cacheDirectory, basename(around));
    await rename(making, around);
  } catch (cause) {
    if (await isThere(around)) return;
    const message = "The default image could not be unpacked. See that the server's disk has a gigabyte free.";
    throw new AppError("image_unavailable", message, {}, { cause });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Trees of earlier recipes. A sandbox that runs on one keeps what it has open and loses the rest. */
async function forgetOthers(cacheDirectory: string, own: string): Promise<void> {
  const old = (await readdir(cacheDirectory)).filter((name) => name.startsWith(PREFIX) && name !== own);
  await Promise.all(old.map((name) => rm(join(cacheDirectory, name), { recursive: true, force: true })));
}

/** Trees that nobody unpacks any more. */
async function forgetUnfinished(cacheDirectory: string): Promise<void> {
  const left = (await readdir(cacheDirectory)).filter((name) => name.startsWith(MAKING));
  for (const name of left) {
    const pid = name.slice(MAKING.length).split("-", 1)[0] ?? "";
    if (!(/^\d+$/.test(pid) && (await isThere(`/proc/${pid}`)))) {
      await rm(join(cacheDirectory, name), { recursive: true, force: true });
    }
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
