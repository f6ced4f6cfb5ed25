import { AppError } from "@handrail/protocol/errors";
import type { DockerClient } from "./docker-client.ts";
import type { Started } from "./start-container.ts";
import { outputDecoder } from "./stream-demux.ts";

const MAX_LOG_BYTES = 4000;

/**
 * Why a container that was started cannot be spoken to, from what it left behind; `thrown` when it left nothing that
 * says more.
 */
export async function startFailure(client: DockerClient, container: Started, thrown: unknown): Promise<unknown> {
  const state = await client.findContainer(container.id).catch(() => undefined);
  if (state === undefined || state.running) return thrown;
  const log = await logOf(client, container.id).catch(() => "");
  return explainExit(container.image, state.exitCode, log) ?? thrown;
}

/** What an exit code and the last words of a container mean for the one who chose the image. */
export function explainExit(image: string, exitCode: number, log: string): AppError | undefined {
  // Docker's init names the program that it could not run; the kernel reports a missing loader as a missing file.
  if (/exec \S*sandboxd failed: No such file/i.test(log) || /not found.*(GLIBC|libc)/i.test(log)) {
    const message = `The image ${image} has no GNU C library (Alpine and BusyBox images have none), which Handrail's program in the sandbox needs. Choose an image made from Debian, Ubuntu, Fedora or the like.`;
    return new AppError("image_unavailable", message, { image, exitCode });
  }
  if (/exec format error/i.test(log)) {
    return new AppError("image_unavailable", `The image ${image} is for another processor.`, { image, exitCode });
  }
  const last = log.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const said = last === "" ? "" : ` It said: ${last}`;
  return new AppError("sandbox_failed", `The sandbox ended at its start (exit code ${exitCode}).${said}`, { exitCode });
}

async function logOf(client: DockerClient, id: string): Promise<string> {
  const decode = outputDecoder();
  let text = "";
  for await (const bytes of await client.logs(id)) {
    text += decode(bytes as Buffer)
      .map((part) => part.bytes.toString("utf8"))
      .join("");
    if (text.length > MAX_LOG_BYTES) break;
  }
  return text;
}
