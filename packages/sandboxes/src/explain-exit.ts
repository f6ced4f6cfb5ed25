import { AppError } from "@handrail/protocol/errors";
import { DISK_FULL_EXIT } from "@handrail/protocol/sandboxd/exits";

/** What an exit code and the last words of a container mean for the one who chose the image. */
export function explainExit(image: string, exitCode: number, log: string): AppError | undefined {
  if (/This system has no shell/.test(log)) {
    const message = `The image ${image} has no shell. Choose an image that has bash or /bin/sh.`;
    return new AppError("image_unavailable", message, { image, exitCode });
  }
  // runc and a shell name the program that they could not run; a missing loader is reported as a missing file.
  if (
    /exec \S*sandboxd"?: no such file|exec user process caused\W+no such file|sandboxd: not found/i.test(log) ||
    /not found.*(GLIBC|libc)/i.test(log)
  ) {
    const message = `Handrail's program cannot run in the image ${image}: it was built on a machine whose C library could not be taken along, and the image has no GNU C library. Choose an image made from Debian, Ubuntu, Fedora or the like.`;
    return new AppError("image_unavailable", message, { image, exitCode });
  }
  if (/exec format error/i.test(log)) {
    return new AppError("image_unavailable", `The image ${image} is for another processor.`, { image, exitCode });
  }
  const last = log.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const said = last === "" ? "" : ` It said: ${last}`;
  if (exitCode === DISK_FULL_EXIT) return new AppError("disk_full", last, { exitCode });
  return new AppError("sandbox_failed", `The sandbox ended at its start (exit code ${exitCode}).${said}`, { exitCode });
}
