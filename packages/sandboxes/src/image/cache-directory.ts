import { homedir } from "node:os";
import { join } from "node:path";

/** Where built images are kept between builds. Undefined or empty: `~/.cache/handrail`. */
export function cacheDirectoryOr(configured: string | undefined): string {
  return configured === undefined || configured === "" ? join(homedir(), ".cache", "handrail") : configured;
}
