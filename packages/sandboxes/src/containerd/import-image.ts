import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@handrail/protocol/errors";
import type { ImageParts } from "./image-archive.ts";
import { imageArchive } from "./image-archive.ts";
import { firstWords } from "./cri-error.ts";

/** Where images of CRI are in containerd, which keeps those of its users apart. */
export const CRI_NAMESPACE = "k8s.io";

/**
 * Hands an image to the containerd behind a socket. CRI has no call for it, so `ctr` does it, which comes with every
 * containerd; CRI knows the image some milliseconds later.
 * @throws AppError `image_unavailable`; the signal's reason when aborted
 */
export async function importImage(socketPath: string, image: ImageParts, signal: AbortSignal): Promise<void> {
  const args = ["--address", socketPath, "--namespace", CRI_NAMESPACE, "images", "import", "-"];
  const child = spawn("ctr", args, {
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
  // What ctr says tells more than that it stopped reading.
  const written = pipeline(Readable.from(imageArchive(image)), child.stdin).catch((error: Error) => error);
  const [code, broken] = await Promise.all([ended, written]);
  signal.throwIfAborted();
  if (code === 0 && broken === undefined) return;
  const reason = firstWords(complaint === "" ? (broken?.message ?? "ctr failed") : complaint);
  const message = `The image ${image.reference} could not be handed to containerd (${reason}).`;
  throw new AppError("image_unavailable", message, { reference: image.reference, reason });
}
