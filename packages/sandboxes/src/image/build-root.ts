import { access, constants, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { processStart } from "../process-name.ts";
import { spawnWhole } from "../spawn-whole.ts";
import { recipeArguments, recipeTag } from "./image-recipe.ts";

/** How a root file system is made. */
export type RootRecipe = {
  /** Names its tar in the cache, together with the tag. a-z. */
  readonly name: string;
  /** As people call the image: "the default image". */
  readonly title: string;
  /** 12 hexadecimal digits that change with the recipe. */
  readonly tag: string;
  /** Arguments of mmdebstrap that write it to `tarFile`. */
  readonly arguments: (tarFile: string) => readonly string[];
};

const SANDBOX: RootRecipe = {
  name: "sandbox",
  title: "the default image",
  tag: recipeTag(),
  arguments: recipeArguments,
};

export type RootBuild = {
  /** Default: the default image's. */
  readonly recipe?: RootRecipe;
  /** Keeps the tar between builds. */
  readonly cacheDirectory: string;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

/** The kernel sends it the signal when this process is gone. Source: setpriv(1), PR_SET_PDEATHSIG(2const) */
const ENDS_WITH_US = ["--pdeathsig", "TERM"];

/** Whether this machine can make the default image: it takes root, mmdebstrap and tar. */
export async function canBuildRoot(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return isInstalled("mmdebstrap");
}

/**
 * The path of a tar with a recipe's root file system, made from Debian packages unless the cache has it.
 * The default image's takes about a minute and 700 MB.
 * @throws AppError `image_unavailable`; the signal's reason when aborted
 */
export async function buildRoot(build: RootBuild): Promise<string> {
  const { name, tag } = build.recipe ?? SANDBOX;
  const tarFile = join(build.cacheDirectory, `${name}-${tag}.tar`);
  await mkdir(build.cacheDirectory, { recursive: true });
  await forgetUnfinished(build.cacheDirectory);
  if (await isThere(tarFile)) return tarFile;
  await forgetOthers(build.cacheDirectory, name);
  const unfinished = `${tarFile}.${process.pid}-${processStart(process.pid) ?? 0}.part`;
  try {
    await runMmdebstrap(unfinished, build);
    await rename(unfinished, tarFile);
  } finally {
    await rm(unfinished, { force: true });
  }
  return tarFile;
}

async function runMmdebstrap(tarFile: string, build: RootBuild): Promise<void> {
  const recipe = build.recipe ?? SANDBOX;
  build.onProgress(`Building ${recipe.title} from Debian packages. This takes a minute or two, once.`);
  const child = spawnWhole("setpriv", [...ENDS_WITH_US, "mmdebstrap", ...recipe.arguments(tarFile)], {
    stdio: ["ignore", "ignore", "pipe"],
    cwd: "/",
  });
  // SIGTERM lets it unmount what it mounted.
  const stop = () => child.kill("SIGTERM");
  build.signal.addEventListener("abort", stop, { once: true });
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-4000);
    for (const [, step] of text.matchAll(/^I: (.*)$/gm)) build.onProgress(`Building ${recipe.title}: ${step ?? ""}`);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => build.signal.removeEventListener("abort", stop));
  build.signal.throwIfAborted();
  if (code !== 0) throw unbuilt(recipe, tail);
}

function unbuilt({ title }: RootRecipe, tail: string): AppError {
  const reason = tail.split("\n").findLast((line) => line.startsWith("E:")) ?? tail.slice(-300).trim();
  const name = title.replace(/^the/, "The");
  const message = `${name} could not be built (${reason}). Check that this machine reaches a Debian mirror, or set an image that is there.`;
  return new AppError("image_unavailable", message, { reason });
}

/** Tars of earlier states of a recipe, each of them hundreds of megabytes. */
async function forgetOthers(directory: string, recipe: string): Promise<void> {
  const isOld = (name: string) => name.startsWith(`${recipe}-`) && /^[a-z]+-[0-9a-f]{12}\.tar$/.test(name);
  const old = (await readdir(directory)).filter(isOld);
  await Promise.all(old.map((name) => rm(join(directory, name), { force: true })));
}

/** Such tars that processes were making that have ended. */
async function forgetUnfinished(directory: string): Promise<void> {
  const isLeft = (name: string) => {
    const [, pid, start] = /^[a-z]+-[0-9a-f]{12}\.tar\.(\d+)(?:-(\d+))?\.part$/.exec(name) ?? [];
    const now = pid === undefined ? "" : processStart(Number(pid));
    return now === undefined || (start !== undefined && now !== start);
  };
  const left = (await readdir(directory)).filter(isLeft);
  await Promise.all(left.map((name) => rm(join(directory, name), { force: true })));
}

async function isInstalled(program: string): Promise<boolean> {
  const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const there = await Promise.all(folders.map((folder) => isThere(join(folder, program))));
  return there.includes(true);
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
