import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@handrail/protocol/errors";
import type { ImageParts } from "./image-archive.ts";
import { imageArchive } from "./image-archive.ts";
import { runProgram } from "../run-program.ts";
import { spawnWhole } from "../spawn-whole.ts";
import { firstWords } from "./cri-error.ts";

/** Where images of CRI are in containerd, which keeps those of its users apart. */
export const CRI_NAMESPACE = "k8s.io";

/** A command that reads an image as `docker save` writes it, and gives it to a runtime. */
export type Importer = readonly [program: string, ...args: string[]];

/**
 * What hands images to the runtime behind a socket, by the name that it gives itself: CRI has no call for it. `ctr` comes
 * with every containerd. CRI-O has its images where Podman has its own, so Podman does it where it is installed.
 * Undefined where there is nothing.
 */
export async function importerOf(runtimeName: string, socketPath: string): Promise<Importer | undefined> {
  if (runtimeName === "containerd")
    return ["ctr", "--address", socketPath, "--namespace", CRI_NAMESPACE, "images", "import", "-"];
  const works = runtimeName === "cri-o" && (await runProgram("podman", ["--version"])).code === 0;
  return works ? ["podman", "load", "--quiet"] : undefined;
}

/**
 * Hands an image to a runtime. CRI knows it some milliseconds later.
 * @throws AppError `image_unavailable`; the signal's reason when aborted
 */
export async function importImage(importer: Importer, image: ImageParts, signal: AbortSignal): Promise<void> {
  const [program, ...args] = importer;
  const child = spawnWhole(program, args, {
    stdio: ["pipe", "ignore", "pipe"],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    cwd: "/",
    signal,
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      complaint += error.message;
      resolve(null);
    });
    child.on("close", resolve);
  });
  // What the program says tells more than that it stopped reading.
  const written = pipeline(Readable.from(imageArchive(image)), child.stdin).catch((error: Error) => error);
  const [code, broken] = await Promise.all([ended, written]);
  signal.throwIfAborted();
  if (code === 0 && broken === undefined) return;
  const reason = firstWords(complaint === "" ? (broken?.message ?? `${program} failed`) : complaint);
  const message = `The image ${image.reference} could not be handed to the runtime (${reason}).`;
  throw new AppError("image_unavailable", message, { reference: image.reference, reason });
}
